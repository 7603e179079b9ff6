# Builds train_and_print by another compiler at other levels and compares what it prints with what the reference does.
function(output_of program result)
  execute_process(COMMAND "${program}" OUTPUT_VARIABLE text RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${program} failed: ${status}")
  endif()
  set(${result} "${text}" PARENT_SCOPE)
endfunction()

output_of("${REFERENCE}" expected)
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

foreach(flags IN ITEMS "-O1" "-O3 -march=native")
  string(REPLACE " " "" suffix "${flags}")
  string(REPLACE " " ";" flag_list "${flags}")
  set(program "${WORK_DIR}/train_and_print_${NAME}${suffix}")
  execute_process(
    COMMAND "${COMPILER}" -std=c++20 ${flag_list} -I "${SOURCE_DIR}/include" -I "${SOURCE_DIR}/tests"
      -isystem "${EIGEN_INCLUDE}" "${SOURCE_DIR}/tests/determinism/train_and_print.cpp" -o "${program}"
    RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${NAME} ${flags} cannot build it")
  endif()
  output_of("${program}" text)
  if(NOT text STREQUAL expected)
    message(FATAL_ERROR "${NAME} ${flags} differs:\n${text}")
  endif()
  message(STATUS "${NAME} ${flags}: the same bits")
endforeach()
