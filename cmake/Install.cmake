# cmake --install: the headers, and a package config for find_package(linnet).
include(CMakePackageConfigHelpers)
include(GNUInstallDirs)

# Nothing in it depends on the processor, so it goes to share/ and not to lib/.
set(linnet_config_dir "${CMAKE_INSTALL_DATADIR}/cmake/linnet")

install(TARGETS linnet EXPORT linnetTargets INCLUDES DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(EXPORT linnetTargets NAMESPACE linnet:: DESTINATION "${linnet_config_dir}")
install(DIRECTORY include/linnet DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
  FILES_MATCHING PATTERN "*.hpp" PATTERN "instances.cpp")

configure_package_config_file(cmake/linnetConfig.cmake.in "${PROJECT_BINARY_DIR}/linnetConfig.cmake"
  INSTALL_DESTINATION "${linnet_config_dir}"
  PATH_VARS CMAKE_INSTALL_INCLUDEDIR)
# Until 1.0 a new minor version may change what a program sees.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/linnetConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES
  "${PROJECT_BINARY_DIR}/linnetConfig.cmake"
  "${PROJECT_BINARY_DIR}/linnetConfigVersion.cmake"
  cmake/linnetCompiled.cmake
  cmake/linnetOptional.cmake
  DESTINATION "${linnet_config_dir}")
install(FILES LICENSE DESTINATION "${CMAKE_INSTALL_DATADIR}/licenses/linnet")
