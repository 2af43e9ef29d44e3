# One idea a folder, one static library a folder: target_link_libraries is the architecture.

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(tillsyn_options INTERFACE)
target_compile_options(tillsyn_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast -Wnon-virtual-dtor
  -Woverloaded-virtual -Wnull-dereference -Wimplicit-fallthrough -Werror
  -fstack-protector-strong -fstack-clash-protection -fcf-protection)
target_compile_definitions(tillsyn_options INTERFACE _GLIBCXX_ASSERTIONS)
target_link_options(tillsyn_options INTERFACE -Wl,-z,relro,-z,now,-z,noexecstack)
target_include_directories(tillsyn_options INTERFACE "${CMAKE_SOURCE_DIR}")

option(TILLSYN_ASAN "AddressSanitizer and UndefinedBehaviorSanitizer" OFF)
option(TILLSYN_TSAN "ThreadSanitizer" OFF)
option(TILLSYN_FUZZ "The programs of tests/fuzz for libFuzzer; needs clang" OFF)
if(TILLSYN_ASAN)
  # -Wno-maybe-uninitialized: GCC sees, of instrumented standard headers, what is not there.
  target_compile_options(tillsyn_options INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all
    -fno-omit-frame-pointer -Wno-maybe-uninitialized)
  target_link_options(tillsyn_options INTERFACE -fsanitize=address,undefined)
elseif(TILLSYN_TSAN)
  # -Wno-tsan: GCC warns at every std::atomic_thread_fence inside third-party headers. -Wno-null-dereference: and sees, of
  # instrumented ones, what is not there.
  target_compile_options(tillsyn_options INTERFACE -fsanitize=thread -fno-omit-frame-pointer -Wno-tsan -Wno-null-dereference)
  target_link_options(tillsyn_options INTERFACE -fsanitize=thread)
elseif(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
  target_compile_definitions(tillsyn_options INTERFACE _FORTIFY_SOURCE=2)
endif()

if(TILLSYN_FUZZ)
  target_compile_options(tillsyn_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# tillsyn_library(<name> SOURCES … [LINK …]): the folder's library, warnings and hardening on.
function(tillsyn_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  add_library(tillsyn_${name} STATIC ${arg_SOURCES})
  target_link_libraries(tillsyn_${name} PUBLIC tillsyn_options ${arg_LINK})
endfunction()

# tillsyn_program(<name> SOURCES … [LINK …]): a program, put into bin/.
function(tillsyn_program name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_link_libraries(${name} PRIVATE tillsyn_options ${arg_LINK})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
endfunction()

# tillsyn_test(<folder> SOURCES … [LINK …]): a Catch2 program `unit-<folder>`, run by ctest.
function(tillsyn_test folder)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  add_executable(unit-${folder} ${arg_SOURCES})
  target_link_libraries(unit-${folder} PRIVATE tillsyn_options Catch2::Catch2WithMain ${arg_LINK})
  target_compile_definitions(unit-${folder} PRIVATE TILLSYN_VECTORS="${CMAKE_SOURCE_DIR}/tests/vectors")
  set_target_properties(unit-${folder} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
  add_test(NAME unit-${folder} COMMAND unit-${folder})
endfunction()
