# linnet_warnings: what linnet's own programs and tests are compiled with. Nobody else's are.
add_library(linnet_warnings INTERFACE)
if(MSVC)
  target_compile_options(linnet_warnings INTERFACE /W4 /permissive- $<$<BOOL:${LINNET_WERROR}>:/WX>)
else()
  target_compile_options(linnet_warnings INTERFACE
    -Wall -Wextra -Wpedantic -Wconversion -Wshadow $<$<BOOL:${LINNET_WERROR}>:-Werror>)
endif()
