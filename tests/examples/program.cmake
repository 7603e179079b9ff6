# What the tests of programs share. `PROGRAM` is the program that is tested.

# run(<status> <argument>...): sets `output` and `error`.
macro(run expected_status)
  execute_process(COMMAND "${PROGRAM}" ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE error)
  if(NOT status EQUAL ${expected_status})
    message(FATAL_ERROR "${PROGRAM} ${ARGN}: status ${status}, expected ${expected_status}\n${output}\n${error}")
  endif()
endmacro()

# expect_parts(<text> <part>...): each must be in the text.
function(expect_parts text)
  foreach(part IN ITEMS ${ARGN})
    string(FIND "${text}" "${part}" found)
    if(found EQUAL -1)
      string(SUBSTRING "${text}" 0 4000 text)
      message(FATAL_ERROR "no \"${part}\" in\n${text}")
    endif()
  endforeach()
endfunction()

# expect_output(<part>...): each must be in the last run's output; expect_warning(<part>...): in what it said on stderr.
macro(expect_output)
  expect_parts("${output}" ${ARGN})
endmacro()
macro(expect_warning)
  expect_parts("${error}" ${ARGN})
endmacro()

# refuse(<part of the message> <argument>...): one line on stderr, a status that is not 0, nothing on stdout.
function(refuse expected)
  execute_process(COMMAND "${PROGRAM}" ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE error)
  string(REGEX MATCHALL "\n" lines "${error}")
  list(LENGTH lines lines)
  string(FIND "${error}" "${expected}" found)
  if(NOT status EQUAL 1 OR NOT lines EQUAL 1 OR found EQUAL -1 OR NOT output STREQUAL "")
    message(FATAL_ERROR "${PROGRAM} ${ARGN}: status ${status}, expected 1 and one line with \"${expected}\", got\n${output}${error}")
  endif()
endfunction()

# stop(<signal> <folder> <message> <argument>...): starts PROGRAM ... --out <folder> and stops it by INT, as Ctrl-C does,
# or KILL, as soon as what `begun` names is in the folder. It then says what is `saved`, and `message` (not after KILL).
# Sets `stopped`, FALSE where there is no shell to do it with.
find_program(SHELL sh)
set(begun "models/*.checkpoint")
set(saved "everything is saved")
macro(stop signal folder message)
  set(stopped FALSE)
  if(SHELL)
    file(REMOVE_RECURSE "${folder}")
    execute_process(
      COMMAND "${SHELL}" "${CMAKE_CURRENT_LIST_DIR}/stop.sh" ${signal} "${folder}" "${begun}" "${PROGRAM}" ${ARGN} --out "${folder}"
      RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE error)
    string(FIND "${error}" "${saved}. To go on: ${message}" found)
    if(("${signal}" STREQUAL "KILL" AND status EQUAL 137) OR (status EQUAL 130 AND NOT found EQUAL -1))
      set(stopped TRUE)
    else()
      message(FATAL_ERROR "${PROGRAM} ${ARGN} could not be stopped: status ${status}\n${output}\n${error}")
    endif()
  endif()
endmacro()

# expect_json(<file> <key/key|value>...): the value at each path.
function(expect_json file)
  file(READ "${file}" json)
  foreach(path IN ITEMS ${ARGN})
    string(REGEX MATCH "^([^|]*)\\|(.*)$" parts "${path}")
    string(REPLACE "/" ";" keys "${CMAKE_MATCH_1}")
    set(value "${CMAKE_MATCH_2}")
    string(JSON got GET "${json}" ${keys})
    if(NOT got STREQUAL value)
      message(FATAL_ERROR "${file}: ${keys} is ${got}, expected ${value}")
    endif()
  endforeach()
endfunction()

# report_of(<folder> <part>...): the report has each part, and comes from the run folder alone.
function(report_of folder)
  file(READ "${folder}/report.html" page)
  expect_parts("${page}" ${ARGN})
  file(RENAME "${folder}/report.html" "${WORK}/report.html")
  run(0 report --out "${folder}")
  same_files("${folder}/report.html" "${WORK}/report.html")
endfunction()

# no_checkpoints(<folder>): a finished run leaves none.
function(no_checkpoints folder)
  file(GLOB checkpoints "${folder}/models/*.checkpoint")
  if(checkpoints)
    message(FATAL_ERROR "left behind: ${checkpoints}")
  endif()
endfunction()

# same_figures(<a> <b>): the same text, but for times.
function(same_figures a b)
  foreach(path IN ITEMS "${a}" "${b}")
    file(READ "${path}" text)
    string(REGEX REPLACE "\"(images_per_second|seconds|classifier_seconds)\": [-+.0-9e]+" "" text "${text}")
    string(REGEX REPLACE ",[.0-9]+\n" "\n" text "${text}")  # the last column of a history
    list(APPEND texts "${text}")
  endforeach()
  list(GET texts 0 first)
  list(GET texts 1 second)
  if(NOT first STREQUAL second)
    message(FATAL_ERROR "${a} and ${b} have other figures")
  endif()
endfunction()

# same_files(<a> <b>): the same bytes.
function(same_files a b)
  file(SHA256 "${a}" hash_a)
  file(SHA256 "${b}" hash_b)
  if(NOT hash_a STREQUAL hash_b)
    message(FATAL_ERROR "${a} and ${b} differ")
  endif()
endfunction()

# The first bytes say whether a file is what its name says: begins_with(<file> <hexadecimal digits>).
function(begins_with file start)
  file(READ "${file}" bytes LIMIT 16 HEX)
  string(FIND "${bytes}" "${start}" found)
  if(NOT found EQUAL 0)
    message(FATAL_ERROR "${file} begins with ${bytes}, expected ${start}")
  endif()
endfunction()
