# Warnings as errors and hardening, for our own code only.
# Hidden symbols: we make programs, and only then may -fPIC code inline what
# is in the same file.
add_library(sluice_flags INTERFACE)
target_compile_definitions(sluice_flags INTERFACE _GNU_SOURCE)
target_compile_options(sluice_flags INTERFACE
    -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual
    -Wformat=2 -Wundef -Wvla -Wwrite-strings -Wconversion -Wno-sign-conversion -Werror
    -fstack-protector-strong -fno-common -fvisibility=hidden)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    target_compile_options(sluice_flags INTERFACE -Wlogical-op -Wduplicated-cond -ftrivial-auto-var-init=zero)
endif()
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
    # CET; and x86-64-v2 for nothing: the tape needs SSE2 only, which is the base.
    target_compile_options(sluice_flags INTERFACE -fcf-protection=full)
    # The microcode cure for the jump erratum of Skylake to Cascade Lake drops
    # code with a jump across 32 bytes from the decoded cache: the tape reader
    # loses a third of its speed by chance of layout without this.
    if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
        target_compile_options(sluice_flags INTERFACE -Wa,-mbranches-within-32B-boundaries)
    else()
        target_compile_options(sluice_flags INTERFACE -mbranches-within-32B-boundaries)
    endif()
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT SLUICE_SANITIZE)
    target_compile_options(sluice_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-clash-protection)
    # Symbols for a stack trace; core files are switched off at start.
    target_compile_options(sluice_flags INTERFACE -g1)
    set(CMAKE_C_FLAGS_RELEASE "-O2")
endif()
target_link_options(sluice_flags INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)

if(SLUICE_SANITIZE)
    add_compile_options(-fsanitize=${SLUICE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all -g)
    add_link_options(-fsanitize=${SLUICE_SANITIZE})
endif()
if(SLUICE_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(SLUICE_COVERAGE)
    add_compile_options(--coverage -O0 -g)
    add_link_options(--coverage)
endif()
