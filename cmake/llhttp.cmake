# llhttp's generated C, from where Debian's node-llhttp installs it: nothing is
# copied into the project (docs/decisions/0003-http.md).
set(LLHTTP_SOURCE_DIR /usr/share/llhttp CACHE PATH "llhttp.c, api.c, http.c")
set(LLHTTP_INCLUDE_DIR /usr/share/include/llhttp CACHE PATH "llhttp.h")
add_library(llhttp STATIC ${LLHTTP_SOURCE_DIR}/llhttp.c ${LLHTTP_SOURCE_DIR}/api.c ${LLHTTP_SOURCE_DIR}/http.c)
target_include_directories(llhttp SYSTEM PUBLIC ${LLHTTP_INCLUDE_DIR})
# The stricter of its two state machines.
target_compile_definitions(llhttp PUBLIC LLHTTP_STRICT_MODE=1)
target_compile_options(llhttp PRIVATE -w)
