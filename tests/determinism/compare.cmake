# Builds train_and_print once more and compares what it prints with what the reference does: COMPILER, FLAGS, and
# EMULATOR for another processor. Or takes PROGRAM as it was built, of OBJECT. LINES says which lines of the reference
# it must print: "all"; "baseline", those of the baseline alone; or "fused", those of AVX2, but as the baseline of a
# processor that has a fused multiply-add.
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
string(REGEX MATCHALL "avx2 [^\n]*\n" avx2 "${expected}")
string(REGEX MATCHALL "avx512 [^\n]*\n" avx512 "${expected}")
string(REPLACE "avx512 " "avx2 " avx512 "${avx512}")
if(avx512 AND NOT avx512 STREQUAL avx2)
  message(FATAL_ERROR "AVX2 and AVX-512 differ:\n${avx2}\n${avx512}")
endif()

if(PROGRAM)
  # Its own object has no kernels: they come from linnet::compiled.
  output_of(symbols "${NM}" -C --defined-only ${OBJECT})
  if(NOT symbols MATCHES " _?main\n")
    message(FATAL_ERROR "${NM} shows no main() in ${OBJECT}: ${symbols}")
  endif()
  if(symbols MATCHES "linnet::[a-z0-9_]+::(baseline|avx2|avx512)::[^\n]*")
    message(FATAL_ERROR "${OBJECT} has kernels of its own: ${CMAKE_MATCH_0}")
  endif()
elseif(NOT COMPILER)
  message(STATUS "SKIPPED: the compiler of ${NAME} is not here")
  return()
endif()
if(LINES STREQUAL "baseline")
  string(REGEX MATCHALL "baseline [^\n]*\n" lines "${expected}")
  list(JOIN lines "" expected)
elseif(LINES STREQUAL "fused")
  if(NOT avx2)
    message(STATUS "SKIPPED: this processor has no AVX2 to compare with")
    return()
  endif()
  list(JOIN avx2 "" expected)
  string(REPLACE "avx2 " "baseline " expected "${expected}")
endif()

set(program "${PROGRAM}")
set(what "${PROGRAM}")
if(NOT PROGRAM)
  set(program "${WORK_DIR}/${NAME}")
  set(what "${COMPILER} ${FLAGS}")
  separate_arguments(flags UNIX_COMMAND "${FLAGS}")
  execute_process(
    COMMAND "${COMPILER}" -std=c++20 ${flags} -I "${SOURCE_DIR}/include" -I "${SOURCE_DIR}/tests"
      -isystem "${EIGEN_INCLUDE}" "${SOURCE_DIR}/tests/determinism/train_and_print.cpp" -o "${program}"
    RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${what} cannot build it")
  endif()
endif()
output_of(text ${EMULATOR} "${program}")
if(NOT text STREQUAL expected)
  message(FATAL_ERROR "${what} differs:\n${text}")
endif()
message(STATUS "${what}: the same bits")
