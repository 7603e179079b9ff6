# linnet::compiled: linnet::linnet, with what most files of a program would compile again and again compiled once
# (include/linnet/instances.hpp). Included by linnet's own CMakeLists.txt and by the package config of an installed
# linnet: in either case the library is built by the project that links it, and only if it does; with the flags that
# hold where linnet is first found. A library that is itself exported links linnet::linnet: this one belongs to no
# export set. It may become part of a shared library.
#
# linnet_include_dir: where linnet/instances.cpp is found.
if(CMAKE_CXX_COMPILER_LOADED AND NOT TARGET linnet_compiled)
  add_library(linnet_compiled STATIC EXCLUDE_FROM_ALL "${linnet_include_dir}/linnet/instances.cpp")
  add_library(linnet::compiled ALIAS linnet_compiled)
  set_target_properties(linnet_compiled PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_compile_definitions(linnet_compiled INTERFACE LINNET_COMPILED)
  target_link_libraries(linnet_compiled PUBLIC linnet::linnet)
endif()
