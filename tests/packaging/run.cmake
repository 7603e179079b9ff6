# cmake -D WAY=installed|subdirectory -D ... -P run.cmake: configures, builds and runs one of the consumers
# beside this file (CMakeLists.txt gives the rest of the definitions).
cmake_minimum_required(VERSION 3.20)

function(run)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    list(JOIN ARGV " " command)
    message(FATAL_ERROR "${command}: exit status ${result}")
  endif()
endfunction()

# Configures the consumer in a fresh build folder; the arguments are further definitions.
set(configure "${CMAKE_COMMAND}" -G "${GENERATOR}"
  -S "${CMAKE_CURRENT_LIST_DIR}/${WAY}" -B "${WORK_DIR}/build"
  "-DCMAKE_CXX_COMPILER=${CXX_COMPILER}" -DCMAKE_BUILD_TYPE=Release
  "-DEXPECT_OPENMP=${OPENMP}")

file(REMOVE_RECURSE "${WORK_DIR}")

if(WAY STREQUAL "installed")
  run("${CMAKE_COMMAND}" --install "${LINNET_BUILD_DIR}" --prefix "${WORK_DIR}/first")
  # The tree works where it is moved to.
  file(RENAME "${WORK_DIR}/first" "${WORK_DIR}/prefix")

  file(GLOB configs "${WORK_DIR}/prefix/share/cmake/linnet/*.cmake")
  if(NOT configs)
    message(FATAL_ERROR "no package config was installed")
  endif()
  foreach(config IN LISTS configs)
    file(READ "${config}" text)
    foreach(forbidden IN ITEMS "${LINNET_SOURCE_DIR}" "${LINNET_BUILD_DIR}" "-march" "-mavx" "-Wall" "-Werror")
      string(FIND "${text}" "${forbidden}" position)
      if(NOT position EQUAL -1)
        message(FATAL_ERROR "${config} speaks of ${forbidden}")
      endif()
    endforeach()
  endforeach()

  list(APPEND configure "-DCMAKE_PREFIX_PATH=${WORK_DIR}/prefix")

  # Another minor version, newer or older, is another interface, and must be refused.
  string(REGEX MATCHALL "[0-9]+" version_parts "${LINNET_VERSION}")
  list(POP_FRONT version_parts major minor)
  math(EXPR next "${minor} + 1")
  set(others ${major}.${next})
  if(minor GREATER 0)
    math(EXPR previous "${minor} - 1")
    list(APPEND others ${major}.${previous})
  endif()
  foreach(other IN LISTS others)
    execute_process(COMMAND ${configure} "-DWANTED=${other}"
      RESULT_VARIABLE result OUTPUT_QUIET ERROR_VARIABLE error)
    if(result EQUAL 0 OR NOT error MATCHES "linnetConfig.cmake, version: ${LINNET_VERSION}")
      message(FATAL_ERROR "find_package took ${LINNET_VERSION} for ${other}: ${error}")
    endif()
    file(REMOVE_RECURSE "${WORK_DIR}/build")
  endforeach()

  run(${configure} "-DWANTED=${major}.${minor}")
else()
  run(${configure} "-DLINNET_SOURCE_DIR=${LINNET_SOURCE_DIR}")
endif()

run("${CMAKE_COMMAND}" --build "${WORK_DIR}/build")
run("${WORK_DIR}/build/consumer")
if(WAY STREQUAL "installed")
  run("${WORK_DIR}/build/consumer_of_compiled")
endif()
