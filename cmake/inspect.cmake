# sluice-inspect reads documents for the gateway (inspect/README.md).  The libraries
# for PDF, HTML and XML are linked here and nowhere else.
file(GLOB INSPECT_SOURCES CONFIGURE_DEPENDS inspect/*.c)
list(FILTER INSPECT_SOURCES EXCLUDE REGEX "inspect/(main|frame)\\.c$")
sluice_layer(inspect ${INSPECT_SOURCES})
target_link_libraries(inspect PUBLIC inspect_frame PkgConfig::SECCOMP PkgConfig::LIBXML PkgConfig::QPDF PkgConfig::POPPLER)

add_executable(sluice-inspect inspect/main.c)
target_link_libraries(sluice-inspect PRIVATE inspect sluice_flags)
include(GNUInstallDirs)
install(TARGETS sluice-inspect)          # beside sluice, which looks for it there
if(TARGET sluice)
    add_dependencies(sluice sluice-inspect)
endif()
