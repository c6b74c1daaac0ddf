# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# make install, make uninstall.

PREFIX  ?= /usr/local
BINDIR  ?= $(PREFIX)/bin
LIBDIR  ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR  ?= $(PREFIX)/share/man
BASHDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR  ?= $(PREFIX)/share/zsh/site-functions
DOCDIR  ?= $(PREFIX)/share/doc/uprobe_multi

$(BUILD)/uprobe_multi.pc: core/uprobe_multi.pc.in core/VERSION FORCE
	@mkdir -p $(@D)
	@sed -e 's|@PREFIX@|$(PREFIX)|' -e 's|@LIBDIR@|$(LIBDIR)|' -e 's|@INCLUDEDIR@|$(INCLUDEDIR)|' \
	  -e 's|@VERSION@|$(VERSION)|' -e 's|@PACKAGES@|$(PACKAGES)|' -e 's|@LIBS@|$(UNPACKAGED)|' $< >$@
.PHONY: FORCE
FORCE:

# A new library is of use once the loader's cache has it; a staged one (DESTDIR) is not installed yet.
LDCONFIG = $(if $(DESTDIR),,$(if $(filter 0,$(shell id -u)),ldconfig))

.PHONY: install
install: all $(BUILD)/uprobe_multi.pc
	install -D -m 755 $(COMMAND) $(DESTDIR)$(BINDIR)/uprobe-multi
	install -D -m 644 $(HEADER) $(DESTDIR)$(INCLUDEDIR)/uprobe_multi.h
	install -D -m 644 $(STATIC) $(DESTDIR)$(LIBDIR)/libuprobe_multi.a
	install -D -m 755 $(SHARED).$(VERSION) $(DESTDIR)$(LIBDIR)/libuprobe_multi.so.$(VERSION)
	ln -sf libuprobe_multi.so.$(VERSION) $(DESTDIR)$(LIBDIR)/libuprobe_multi.so.$(SOVERSION)
	ln -sf libuprobe_multi.so.$(VERSION) $(DESTDIR)$(LIBDIR)/libuprobe_multi.so
	install -D -m 644 $(BUILD)/uprobe_multi.pc $(DESTDIR)$(LIBDIR)/pkgconfig/uprobe_multi.pc
	install -D -m 644 docs/uprobe-multi.1 $(DESTDIR)$(MANDIR)/man1/uprobe-multi.1
	install -D -m 644 core/cli/completion/uprobe-multi.bash $(DESTDIR)$(BASHDIR)/uprobe-multi
	install -D -m 644 core/cli/completion/_uprobe-multi $(DESTDIR)$(ZSHDIR)/_uprobe-multi
	install -D -m 644 -t $(DESTDIR)$(DOCDIR) LICENSE docs/third-party.md docs/licenses/*
	$(LDCONFIG)

.PHONY: uninstall
uninstall:
	rm -f $(DESTDIR)$(BINDIR)/uprobe-multi $(DESTDIR)$(INCLUDEDIR)/uprobe_multi.h
	rm -f $(DESTDIR)$(LIBDIR)/libuprobe_multi.a $(DESTDIR)$(LIBDIR)/libuprobe_multi.so \
	  $(DESTDIR)$(LIBDIR)/libuprobe_multi.so.$(SOVERSION) $(DESTDIR)$(LIBDIR)/libuprobe_multi.so.$(VERSION) \
	  $(DESTDIR)$(LIBDIR)/pkgconfig/uprobe_multi.pc
	rm -f $(DESTDIR)$(MANDIR)/man1/uprobe-multi.1 $(DESTDIR)$(BASHDIR)/uprobe-multi $(DESTDIR)$(ZSHDIR)/_uprobe-multi
	rm -rf $(DESTDIR)$(DOCDIR)
	$(LDCONFIG)
