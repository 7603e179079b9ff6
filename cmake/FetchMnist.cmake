# Downloads the MNIST database (60,000 training and 10,000 test digits) for the programs' --data DIR:
#
#     cmake -P cmake/FetchMnist.cmake                        into data/mnist of the project
#     cmake -D DIR=somewhere/mnist -P cmake/FetchMnist.cmake
#
# A file appears under its own name only when it is whole: it is downloaded under another one, its checksum
# is verified, and then it is renamed. What is there already and is right is kept.
#
# Further definitions: MIRRORS, a list of URLs to use in place of those below, and CHECKSUMS, a list of
# name=MD5 in place of MNIST's (Fashion-MNIST has the same form, and the tests use it).
cmake_minimum_required(VERSION 3.20)

if(NOT DEFINED DIR)
  set(DIR "${CMAKE_CURRENT_LIST_DIR}/../data/mnist")
endif()
get_filename_component(DIR "${DIR}" ABSOLUTE)

if(NOT DEFINED MIRRORS)
  set(MIRRORS
    https://ossci-datasets.s3.amazonaws.com/mnist
    https://storage.googleapis.com/cvdf-datasets/mnist)
endif()

# Of the compressed files, as they were first published. A mirror that compressed them anew does not match.
if(NOT DEFINED CHECKSUMS)
  set(CHECKSUMS
    train-images-idx3-ubyte.gz=f68b3c2dcbeaaa9fbdd348bbdeb94873
    train-labels-idx1-ubyte.gz=d53e105ee54ea40749a09fcbcd1e9432
    t10k-images-idx3-ubyte.gz=9fb629c4189551a2d022fa330f9573f3
    t10k-labels-idx1-ubyte.gz=ec29112dd5afa0611ce80d1b7f02629c)
endif()

# Sets `result` to "" when `file` has that MD5, else to what is wrong with it.
function(verify file md5 result)
  file(MD5 "${file}" found)
  file(SIZE "${file}" size)
  if(found STREQUAL md5)
    set(${result} "" PARENT_SCOPE)
  else()
    set(${result} "wrong or incomplete: MD5 ${found} of ${size} bytes, expected ${md5}" PARENT_SCOPE)
  endif()
endfunction()

function(fetch name md5)
  set(file "${DIR}/${name}")
  if(EXISTS "${file}")
    verify("${file}" ${md5} problem)
    if(NOT problem)
      message(STATUS "${name}: already there")
      return()
    endif()
    # It stays until a right one takes its place: it may be somebody's only copy.
    message(STATUS "${name}: what is there is ${problem}")
  endif()

  set(problems "")
  foreach(mirror IN LISTS MIRRORS)
    string(REGEX REPLACE "/+$" "" mirror "${mirror}")
    message(STATUS "${name}: from ${mirror}")
    file(DOWNLOAD "${mirror}/${name}" "${file}.part" STATUS status
      TIMEOUT 900 INACTIVITY_TIMEOUT 30 TLS_VERIFY ON)
    list(POP_FRONT status code problem)
    string(REPLACE "\"" "" problem "${problem}")
    if(code EQUAL 0)
      verify("${file}.part" ${md5} problem)
      if(NOT problem)
        file(RENAME "${file}.part" "${file}")
        return()
      endif()
    endif()
    file(REMOVE "${file}.part")
    string(APPEND problems "\n  ${mirror}: ${problem}")
  endforeach()
  file(GLOB left "${DIR}/*")
  if(is_new AND NOT left)
    file(REMOVE_RECURSE "${DIR}")
  endif()
  message(FATAL_ERROR "${name} could not be fetched:${problems}")
endfunction()

set(is_new TRUE)
if(EXISTS "${DIR}")
  set(is_new FALSE)
endif()
file(MAKE_DIRECTORY "${DIR}")
foreach(entry IN LISTS CHECKSUMS)
  if(NOT entry MATCHES "^([^/=]+)=([0-9a-f]+)$")
    message(FATAL_ERROR "CHECKSUMS: expected name=MD5, got ${entry}")
  endif()
  fetch(${CMAKE_MATCH_1} ${CMAKE_MATCH_2})
endforeach()
message(STATUS "Complete: ${DIR}")
