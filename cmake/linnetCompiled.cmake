# linnet::compiled: linnet::linnet, with what most files of a program would compile again and again compiled once
# (include/linnet/instances.hpp). Included by linnet's own CMakeLists.txt and by the package config of an installed
# linnet: in either case the library is built by the project that links it, with its flags, and only if it does.
#
# linnet_include_dir: where linnet/instances.cpp is found.
if(NOT TARGET linnet_compiled)
  add_library(linnet_compiled STATIC EXCLUDE_FROM_ALL "${linnet_include_dir}/linnet/instances.cpp")
  add_library(linnet::compiled ALIAS linnet_compiled)
  target_compile_definitions(linnet_compiled INTERFACE LINNET_COMPILED)
  target_link_libraries(linnet_compiled PUBLIC linnet::linnet)
endif()
