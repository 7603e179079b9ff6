# Runs PROGRAM, which must end with status 0 and print what matches EXPECTED.
execute_process(COMMAND "${PROGRAM}" RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE error)
if(NOT status EQUAL 0 OR NOT output MATCHES "${EXPECTED}")
  message(FATAL_ERROR "status ${status}, expected 0 and ${EXPECTED}, got\n${output}${error}")
endif()
message(STATUS "${output}")
