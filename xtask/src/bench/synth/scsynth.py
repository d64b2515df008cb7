"""Writes scsynth.scsyndef, the patch that scsynth plays when it is compared with khor.

python3 -m venv x && x/bin/pip install supriya==26.10b1 && x/bin/python scsynth.py
"""

from pathlib import Path

from supriya import DoneAction, Envelope, SynthDefBuilder
from supriya.ugens import CombN, EnvGen, FreeVerb, In, LFTri, Limiter, Out, Pan2, RLPF, SinOsc
from supriya.ugens.core import compile_synthdefs

# Buses, as in khor: the dry sound (left and right), the delay's input, the reverb's input.
DRY, DELAY, REVERB = 16, 18, 19

with SynthDefBuilder(midi=60.0, gain=0.1, pan=0.0) as builder:
    freq_hz = builder["midi"].midi_to_hz()
    tone = 0.5 * (SinOsc.ar(frequency=freq_hz) + LFTri.ar(frequency=freq_hz * 1.003))
    # The note is held, because its gate never closes.
    envelope = EnvGen.kr(envelope=Envelope.adsr(0.05, 0.3, 0.5, 1.0), done_action=DoneAction.FREE_SYNTH)
    sound = RLPF.ar(source=tone * envelope, frequency=freq_hz * (1 + 3 * envelope), reciprocal_of_q=0.7)
    sound = sound * builder["gain"]
    Out.ar(bus=DRY, source=Pan2.ar(source=sound, position=builder["pan"]))
    Out.ar(bus=DELAY, source=0.3 * sound)
    Out.ar(bus=REVERB, source=0.3 * sound)
voice = builder.build("voice")

with SynthDefBuilder() as builder:
    dry = In.ar(bus=DRY, channel_count=2)
    repeats = CombN.ar(source=In.ar(bus=DELAY), maximum_delay_time=1.0, delay_time=0.4, decay_time=2.0)
    for side in range(2):
        room = FreeVerb.ar(source=In.ar(bus=REVERB), mix=1.0, room_size=0.8, damping=0.5)
        Out.ar(bus=side, source=Limiter.ar(source=dry[side] + repeats + room, level=0.86, duration=0.0025))
effects = builder.build("effects")

Path(__file__).with_suffix(".scsyndef").write_bytes(compile_synthdefs(voice, effects))
