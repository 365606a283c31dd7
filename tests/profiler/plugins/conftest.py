"""Real LV2 plugins that misbehave, built in C with the system's compiler."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

SOURCE = r"""
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct Descriptor {
  const char *uri;
  void *(*instantiate)(const struct Descriptor *, double, const char *, const void *);
  void (*connect_port)(void *, uint32_t, void *);
  void (*activate)(void *);
  void (*run)(void *, uint32_t);
  void (*deactivate)(void *);
  void (*cleanup)(void *);
  const void *(*extension_data)(const char *);
} Descriptor;

typedef struct { float *port[16]; float delay[100]; unsigned at; unsigned long heard; double rate; } Plugin;

static void *start(const Descriptor *d, double rate, const char *path, const void *features) {
  Plugin *p = calloc(1, sizeof(Plugin));
  p->rate = rate;
  return p;
}
static void *start_abort(const Descriptor *d, double rate, const char *path, const void *features) {
  fprintf(stderr, "looking for a licence\n\033[31mno licence found\033[0m\n");
  abort();
}
static void *start_nothing(const Descriptor *d, double rate, const char *path, const void *features) { return NULL; }
static void connect(void *h, uint32_t index, void *data) { ((Plugin *)h)->port[index] = data; }

#define EACH(expression) do { Plugin *p = h; float *in = p->port[0], *out = p->port[1]; float knob = *p->port[2]; \
  for (uint32_t i = 0; i < n; i++) { out[i] = (expression); } (void)in; (void)knob; } while (0)

static void value(void *h, uint32_t n) { EACH(knob); }
static void blocks(void *h, uint32_t n) { EACH((float)n); }
static void not_a_number(void *h, uint32_t n) { EACH(NAN); }
static void heard(void *h, uint32_t n) { EACH((float)(p->heard++)); }
static void rate(void *h, uint32_t n) { EACH(*p->port[3]); }
static void hang(void *h, uint32_t n) {
  if (*((Plugin *)h)->port[2] > 9) { for (volatile int busy = 1; busy;) { } }
  EACH(in[i]);
}
static void fault(void *h, uint32_t n) {
  if (*((Plugin *)h)->port[2] > 9) { fprintf(stderr, "tube exploded\n"); *(volatile int *)0 = 1; }
  EACH(in[i]);
}
static void leave(void *h, uint32_t n) { fprintf(stderr, "trial period is over\n"); exit(3); }
static void brood(void *h, uint32_t n) { if (fork() == 0) { sleep(10); } _exit(4); }
static void flood(void *h, uint32_t n) { for (;;) { fprintf(stderr, "samplerate mismatch\n"); } }
static void chatter(void *h, uint32_t n) {
  for (int line = 0; line < 200; line++) { printf("stdout is mine\n"); fprintf(stderr, "and stderr too\n"); }
  fflush(stdout);
  EACH(in[i] * knob);
}
static void late(void *h, uint32_t n) {
  Plugin *p = h;
  *p->port[3] = 100;
  for (uint32_t i = 0; i < n; i++) {
    p->port[1][i] = p->delay[p->at]; p->delay[p->at] = p->port[0][i]; p->at = (p->at + 1) % 100;
  }
}
static void sides(void *h, uint32_t n) {
  Plugin *p = h;
  for (uint32_t i = 0; i < n; i++) { p->port[3][i] = p->port[0][i] * -0.5f; }
  EACH(in[i]);
}
static void knobs(void *h, uint32_t n) { EACH(*p->port[15 < (int)knob ? 15 : (int)knob]); }

#define PLUGIN(name, begin) {"urn:tonecast:test#" #name, begin, connect, NULL, name, NULL, free, NULL}
static const Descriptor all[] = {
  PLUGIN(value, start), PLUGIN(blocks, start), PLUGIN(not_a_number, start), PLUGIN(heard, start), PLUGIN(hang, start),
  PLUGIN(fault, start), PLUGIN(leave, start), PLUGIN(flood, start), PLUGIN(chatter, start), PLUGIN(late, start),
  PLUGIN(sides, start), PLUGIN(brood, start), PLUGIN(knobs, start), PLUGIN(rate, start),
  {"urn:tonecast:test#abort", start_abort, connect, NULL, value, NULL, free, NULL},
  {"urn:tonecast:test#nothing", start_nothing, connect, NULL, value, NULL, free, NULL},
};
const Descriptor *lv2_descriptor(uint32_t index) {
  return index < sizeof(all) / sizeof(all[0]) ? &all[index] : NULL;
}
"""

PREFIXES = """
@prefix lv2: <http://lv2plug.in/ns/lv2core#> .
@prefix doap: <http://usefulinc.com/ns/doap#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix props: <http://lv2plug.in/ns/ext/port-props#> .
@prefix units: <http://lv2plug.in/ns/extensions/units#> .
@prefix time: <http://lv2plug.in/ns/ext/time#> .
@prefix : <urn:tonecast:test#> .
"""

AUDIO = ("a lv2:AudioPort, lv2:InputPort", "a lv2:AudioPort, lv2:OutputPort")
CONTROL = "a lv2:ControlPort, lv2:InputPort ; lv2:default {} ; lv2:minimum {} ; lv2:maximum {}"
KNOB = CONTROL.format(5.0, 0.0, 10.0)
OUTPUT = "a lv2:ControlPort, lv2:OutputPort"

EXTRA = {
    "late": (f"{OUTPUT} ; lv2:portProperty lv2:reportsLatency",),
    "sides": ("a lv2:AudioPort, lv2:OutputPort",),
    "rate": (f"{CONTROL.format(0.125, 0.0, 0.5)} ; lv2:portProperty lv2:sampleRate",),
    "knobs": (
        f"{CONTROL.format(0, 0, 1)} ; lv2:portProperty lv2:toggled",
        f"{CONTROL.format(1, 0, 2)} ; lv2:portProperty lv2:enumeration, lv2:integer ; lv2:scalePoint"
        ' [ rdfs:label "lead" ; rdf:value 2 ], [ rdfs:label "clean" ; rdf:value 0 ],'
        ' [ rdfs:label "a,b" ; rdf:value 1 ]',
        f"{CONTROL.format(3, 1, 8)} ; lv2:portProperty lv2:integer",
        f"{CONTROL.format(1000, 20, 20000)} ; lv2:portProperty props:logarithmic ; units:unit units:hz",
        f'{CONTROL.format(0.1, 0.1, 2.5)} ; units:unit [ a units:Unit ; units:symbol " V " ]',
        f"{CONTROL.format(0.0, 0, 1)} ; lv2:designation lv2:enabled ; lv2:portProperty lv2:toggled",
        f"{CONTROL.format(1.0, 0, 1)} ; lv2:designation lv2:freeWheeling ; lv2:portProperty lv2:toggled",
        f"{CONTROL.format(120, 20, 300)} ; lv2:designation time:beatsPerMinute",
        f"{CONTROL.format(0.25, 0, 1)} ; lv2:portProperty props:notOnGUI",
        f"{CONTROL.format(0, 0, 1)} ; lv2:portProperty lv2:toggled, props:trigger",
        "a lv2:ControlPort, lv2:InputPort ; lv2:default 0.75",
        OUTPUT,
    ),
}
NAMES = (
    *("value", "blocks", "not_a_number", "heard", "hang", "fault", "leave", "flood", "brood"),
    *("chatter", "late", "sides", "knobs", "rate", "abort", "nothing"),
)
REFUSED = """
:source a lv2:Plugin ; lv2:binary <odd.so> ; doap:name "Odd source" ;
  lv2:port [ a lv2:AudioPort, lv2:OutputPort ; lv2:index 0 ; lv2:symbol "out" ; lv2:name "Out" ] .
:needy a lv2:Plugin ; lv2:binary <odd.so> ; doap:name "Odd needy" ; lv2:requiredFeature <urn:nobody:has#this> ;
  lv2:port [ a lv2:AudioPort, lv2:InputPort ; lv2:index 0 ; lv2:symbol "in" ; lv2:name "In" ] ,
    [ a lv2:AudioPort, lv2:OutputPort ; lv2:index 1 ; lv2:symbol "out" ; lv2:name "Out" ] .
"""


def described(name: str) -> str:
    """Return what the bundle says of one plugin."""
    knob = CONTROL.format(5.0, 0.0, 15.0) if name == "knobs" else KNOB
    listed = " , ".join(
        f'[ {port} ; lv2:index {index} ; lv2:symbol "p{index}" ; lv2:name "Port {index}" ]'
        for index, port in enumerate((*AUDIO, knob, *EXTRA.get(name, ())))
    )
    return (
        f':{name} a lv2:Plugin ; lv2:binary <odd.so> ; doap:name "Odd {name}" ; lv2:minorVersion 2 ; '
        f"lv2:microVersion 1 ; lv2:port {listed} .\n"
    )


@pytest.fixture(scope="session")
def odd_folder(lv2: None, missing: Callable[[str, str], None], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the bundle of odd plugins, built with the system's compiler."""
    compiler = shutil.which("cc")
    if compiler is None:
        missing("cc", "no C compiler")
    folder = tmp_path_factory.mktemp("lv2")
    bundle = folder / "odd.lv2"
    bundle.mkdir()
    (bundle / "odd.c").write_text(SOURCE)
    command = [str(compiler), "-shared", "-fPIC", "-O1", "-w", "-o", bundle / "odd.so", bundle / "odd.c", "-lm"]
    subprocess.run(command, check=True)
    (bundle / "manifest.ttl").write_text(PREFIXES + "".join(map(described, NAMES)) + REFUSED)
    return folder


@pytest.fixture
def odd(odd_folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What `lv2:` names of the odd plugins begin with: `odd + "hang"`. No others are found."""
    monkeypatch.setenv("LV2_PATH", str(odd_folder))
    return "lv2:urn:tonecast:test#"
