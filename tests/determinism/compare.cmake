# Builds train_and_print by another compiler at other levels, or for another processor that EMULATOR stands in for, and
# compares what it prints with what the reference does.
function(output_of result)  # of the command that follows
  execute_process(COMMAND ${ARGN} OUTPUT_VARIABLE text RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGN} failed: ${status}")
  endif()
  set(${result} "${text}" PARENT_SCOPE)
endfunction()

output_of(expected "${REFERENCE}")
message(STATUS "reference:\n${expected}")
if(NOT expected MATCHES "baseline denoiser [0-9a-f]+\nbaseline branched")
  message(FATAL_ERROR "the reference printed something else than hashes")
endif()

# AVX2 and AVX-512 agree.
string(REGEX MATCHALL "avx2 [^\n]*" avx2 "${expected}")
string(REGEX MATCHALL "avx512 [^\n]*" avx512 "${expected}")
string(REPLACE "avx512 " "avx2 " avx512 "${avx512}")
if(avx512 AND NOT avx512 STREQUAL avx2)
  message(FATAL_ERROR "AVX2 and AVX-512 differ:\n${avx2}\n${avx512}")
endif()

if(NOT COMPILER)
  message(STATUS "SKIPPED: ${NAME} is not here")
  return()
endif()

function(expect_bits expected)  # of a build with the flags that follow
  list(JOIN ARGN "" suffix)
  set(program "${WORK_DIR}/train_and_print_${NAME}${suffix}")
  execute_process(
    COMMAND "${COMPILER}" -std=c++20 ${ARGN} -I "${SOURCE_DIR}/include" -I "${SOURCE_DIR}/tests"
      -isystem "${EIGEN_INCLUDE}" "${SOURCE_DIR}/tests/determinism/train_and_print.cpp" -o "${program}"
    RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${NAME} ${ARGN} cannot build it")
  endif()
  output_of(text ${EMULATOR} "${program}")
  if(NOT text STREQUAL expected)
    message(FATAL_ERROR "${NAME} ${ARGN} differs:\n${text}")
  endif()
  message(STATUS "${NAME} ${ARGN}: the same bits")
endfunction()

if(EMULATOR)
  # The baseline of an aarch64 has a fused multiply-add, and so the bits of AVX2.
  if(NOT avx2)
    message(STATUS "SKIPPED: this processor has no AVX2 to compare with")
    return()
  endif()
  list(TRANSFORM avx2 REPLACE "^avx2" "baseline")
  list(JOIN avx2 "\n" fused)
  expect_bits("${fused}\n" -O2 -static)
  return()
endif()

expect_bits("${expected}" -O1)
if(CMAKE_HOST_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  expect_bits("${expected}" -O3 -march=native)
  # What a compiler without vector types makes of it.
  string(REGEX REPLACE "avx[^\n]*\n" "" baseline "${expected}")
  expect_bits("${baseline}" -O2 -DLINNET_SCALAR)
else()
  expect_bits("${expected}" -O3)
endif()
