# cmake -D SCRIPT=... -D WORK_DIR=... -P run.cmake: FetchMnist.cmake against mirrors that are folders, good and
# bad ones, with checksums of two small files in place of MNIST's.
cmake_minimum_required(VERSION 3.20)

set(images "1234567890 are the images")
set(labels "0987654321 are the labels")
string(MD5 images_md5 "${images}")
string(MD5 labels_md5 "${labels}")
set(checksums "images.gz=${images_md5};labels.gz=${labels_md5}")

file(REMOVE_RECURSE "${WORK_DIR}")
foreach(mirror IN ITEMS good corrupt truncated)
  file(WRITE "${WORK_DIR}/${mirror}/images.gz" "${images}")
  file(WRITE "${WORK_DIR}/${mirror}/labels.gz" "${labels}")
endforeach()
file(WRITE "${WORK_DIR}/corrupt/labels.gz" "0987654321 are THE labels")
file(WRITE "${WORK_DIR}/truncated/labels.gz" "0987654321 are")

# Runs the script for a folder with the mirrors named, and keeps its exit status and output.
macro(fetch folder)
  set(mirrors ${ARGN})
  list(TRANSFORM mirrors PREPEND "file://${WORK_DIR}/")
  execute_process(
    COMMAND "${CMAKE_COMMAND}" "-DDIR=${WORK_DIR}/${folder}" "-DMIRRORS=${mirrors}" "-DCHECKSUMS=${checksums}"
      -P "${SCRIPT}"
    RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
endmacro()

function(expect condition)
  if(NOT (${ARGV}))
    list(JOIN ARGV " " condition)
    message(FATAL_ERROR "expected ${condition}; exit status ${result}, output:\n${output}")
  endif()
endfunction()

function(expect_file file content)
  expect(EXISTS "${WORK_DIR}/${file}")
  file(READ "${WORK_DIR}/${file}" found)
  if(NOT found STREQUAL content)
    message(FATAL_ERROR "${file}: expected '${content}', found '${found}'")
  endif()
endfunction()

function(expect_only folder)
  file(GLOB found RELATIVE "${WORK_DIR}/${folder}" "${WORK_DIR}/${folder}/*")
  if(NOT found STREQUAL "${ARGN}")
    message(FATAL_ERROR "${folder}: expected only '${ARGN}', found '${found}'")
  endif()
endfunction()

# A good mirror; then nothing is left to fetch, and no mirror is asked.
fetch(a good)
expect(result EQUAL 0)
expect_only(a images.gz labels.gz)
expect_file(a/labels.gz "${labels}")
fetch(a missing)
expect(result EQUAL 0)
expect_only(a images.gz labels.gz)

# Corrupted and truncated files are refused and removed, with the reason; what was right stays.
foreach(bad IN ITEMS corrupt truncated)
  fetch(${bad}_to ${bad})
  expect(NOT result EQUAL 0)
  expect(output MATCHES "labels.gz could not be fetched")
  expect(output MATCHES "wrong or incomplete")
  expect_only(${bad}_to images.gz)
endforeach()

# The next mirror is tried.
fetch(b missing corrupt truncated good)
expect(result EQUAL 0)
expect_only(b images.gz labels.gz)
expect_file(b/labels.gz "${labels}")

# A damaged file that was there before is replaced; when it cannot be, it is said and the file is left.
file(WRITE "${WORK_DIR}/a/labels.gz" "damaged")
fetch(a good)
expect(result EQUAL 0)
expect_file(a/labels.gz "${labels}")
file(WRITE "${WORK_DIR}/a/labels.gz" "damaged")
fetch(a missing corrupt)
expect(NOT result EQUAL 0)
expect_only(a images.gz labels.gz)
expect_file(a/labels.gz "damaged")

# No such mirror: an error that names the file and the mirror.
fetch(c missing)
expect(NOT result EQUAL 0)
expect(output MATCHES "images.gz could not be fetched")
expect(output MATCHES "/missing: ")
expect_only(c)

message(STATUS "FetchMnist.cmake: all as expected")
