// GStreamer is built without frame pointers: what it keeps is known by whole stacks alone. Read by the address
// sanitizer.
extern "C" const char* __asan_default_options();
const char* __asan_default_options() { return "fast_unwind_on_malloc=0"; }
