# Two commands: `make drive` and `make test`. Each does its own set-up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Shared libraries that OpenCV's wheel expects and a bare Debian may lack.
define system_libraries
	@ldconfig -p 2>/dev/null | grep -q libGL.so.1 || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -q && apt-get install -qy libgl1 libglib2.0-0; } || true
endef
# The tests of the cameras run the real tool; without it they are skipped, with the reason.
define gstreamer
	@command -v gst-launch-1.0 >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -q && apt-get install -qy --no-install-recommends gstreamer1.0-tools gstreamer1.0-plugins-base; } || true
endef

# The tests of the page drive a real browser; without it they are skipped, with the reason.
define chromium
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -q && apt-get install -qy --no-install-recommends chromium; } || true
endef

.PHONY: drive test test-all bench docs clean

drive: $(VENV)/.drive
	$(BIN)/linepilot drive --track reInvent2019_track

$(VENV)/.python:
	$(PYTHON) -m venv $(VENV) || { apt-get update -q && apt-get install -qy python3-venv && $(PYTHON) -m venv $(VENV); }
	touch $@

$(VENV)/.drive: pyproject.toml | $(VENV)/.python
	$(system_libraries)
	@echo "Installing what driving and its web page need into $(VENV): a minute or two, and nothing is said meanwhile."
	$(BIN)/pip install -q -e '.[web]'
	touch $@

$(VENV)/.test: pyproject.toml | $(VENV)/.drive
	@echo "Installing what training and the tests need, torch among it: some minutes and gigabytes, and nothing is said meanwhile."
	$(BIN)/pip install -q -e '.[train,gym,openvino,dev]'
	touch $@

test: $(VENV)/.test
	$(gstreamer)
	$(BIN)/ruff check app sim robot perception calibration control tests benchmarks
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q -n 2 --dist loadfile

test-all: test $(VENV)/.browser
	$(chromium)
	$(BIN)/python -m pytest -q -m slow

$(VENV)/.browser: pyproject.toml | $(VENV)/.test
	$(BIN)/pip install -q -e '.[browser]'
	touch $@

bench: $(VENV)/.drive
	$(BIN)/linepilot bench

# The site, in build/site.
docs: $(VENV)/.docs
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "Open build/site/index.html"

$(VENV)/.docs: pyproject.toml | $(VENV)/.drive
	@echo "Installing what the site needs, some seconds."
	$(BIN)/pip install -q -e '.[docs]'
	touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info
