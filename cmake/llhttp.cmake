# llhttp's generated C, from where Debian's node-llhttp installs it: nothing is
# copied into the project (docs/decisions/0003-http.md).
set(LLHTTP_SOURCE_DIR /usr/share/llhttp CACHE PATH "llhttp.c, api.c, http.c")
set(LLHTTP_INCLUDE_DIR /usr/share/include/llhttp CACHE PATH "llhttp.h")
add_library(llhttp STATIC ${LLHTTP_SOURCE_DIR}/llhttp.c ${LLHTTP_SOURCE_DIR}/api.c ${LLHTTP_SOURCE_DIR}/http.c)
target_include_directories(llhttp SYSTEM PUBLIC ${LLHTTP_INCLUDE_DIR})
target_compile_options(llhttp PRIVATE -w)
