# Looks for the libraries that linnet uses where they are. Included by linnet's own CMakeLists.txt and by the
# package config of an installed linnet, so that both find the same things in the same way.

# Without OpenMP everything runs in one thread, with the same results.
if(NOT DEFINED LINNET_OPENMP OR LINNET_OPENMP)
  find_package(OpenMP QUIET COMPONENTS CXX)
endif()

# linnet::io: what include/linnet/io needs, and linnet/data to read compressed files.
find_package(ZLIB QUIET)
find_package(PNG QUIET)
find_package(nlohmann_json QUIET)
set(linnet_io_libraries ZLIB::ZLIB PNG::PNG nlohmann_json::nlohmann_json)
set(linnet_io_missing "")
foreach(linnet_library IN LISTS linnet_io_libraries)
  if(NOT TARGET ${linnet_library})
    string(REGEX REPLACE "::.*" "" linnet_library "${linnet_library}")
    string(APPEND linnet_io_missing " ${linnet_library}")
  endif()
endforeach()
unset(linnet_library)
