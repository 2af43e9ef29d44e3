# What this board adds to `cmake --install BUILD --component hub`.
install(FILES "${board}/systemd/tillsyn-gate.service.conf" DESTINATION lib/systemd/system/tillsyn-gate.service.d
  RENAME board.conf COMPONENT hub)
install(FILES "${board}/systemd/chrony.service.conf" DESTINATION lib/systemd/system/chrony.service.d
  RENAME tillsyn.conf COMPONENT hub)
install(FILES "${board}/systemd/tillsyn-chrony.tmpfiles" DESTINATION lib/tmpfiles.d RENAME tillsyn-chrony.conf COMPONENT hub)
install(FILES "${board}/udev/70-tillsyn.rules" DESTINATION lib/udev/rules.d COMPONENT hub)
install(FILES "${board}/chrony.conf" DESTINATION share/tillsyn COMPONENT hub)
