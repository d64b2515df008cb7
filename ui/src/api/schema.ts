// The types of the API. Generated from docs/openapi.json by `cargo xtask api`: do not edit.

export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description The sound device. */
        Audio: {
            /**
             * @description System through which khor plays: `pulseaudio` or `alsa`. Empty selects the first one
             *     that works.
             * @enum {string}
             */
            backend: "" | "pulseaudio" | "alsa";
            /**
             * @description Id of the sound device (`id:…`), as `khor devices` lists it. Empty selects the default
             *     device.
             */
            device: string;
            /**
             * Format: int8
             * @description Loudness of an idle machine's music at volume 0.5, LUFS.
             * @enum {integer}
             */
            loudness_lufs: -23 | -18 | -16;
            /**
             * Format: float
             * @description Volume of the sound device and of recordings, 0 (silent) to 1.
             */
            master_gain: number;
            /**
             * Format: uint32
             * @description Sample rate that khor requests, hertz. The device may use another rate.
             */
            sample_rate: number;
        };
        /** @description The sound device. */
        AudioReport: {
            /**
             * @description The system through which khor plays, such as `pulseaudio` or `alsa`; `null` while no device
             *     is open.
             */
            backend: string | null;
            /**
             * Format: float
             * @description Time that the synth needs to compute a block of sound, divided by the duration of the block.
             *     Above 1, the synth is too slow.
             */
            callback_load: number;
            /** @description Display name of the device; `null` while no device is open. */
            device: string | null;
            /**
             * Format: uint64
             * @description Number of notes that khor has dropped since the engine started. khor drops a note if the
             *     synth has no free voice, or if the note is too late for every output.
             */
            dropped_notes: number;
            /** @description Whether the part is on in the settings. */
            enabled: boolean;
            /** @description What does not work and why; `null` if everything works. */
            error: string | null;
            /** @description How to fix the error; `null` if there is no error, or if khor knows no fix. */
            fix: string | null;
            /**
             * Format: float
             * @description Time from the onset of a note until the note sounds, milliseconds, as the backend reports
             *     it; `null` while nothing plays.
             */
            latency_ms: number | null;
            /**
             * @description Whether the device is muted: manually, by a snooze or by quiet hours. `controls.silence` in
             *     `GET /api/metrics` has the reason.
             */
            muted: boolean;
            /** @description Whether the part works. False while the part is off, and until it has started. */
            ok: boolean;
            /**
             * Format: float
             * @description Highest amplitude in the recent sound, 0 to 1.
             */
            peak: number;
            /**
             * @description The scheduling priority of the audio thread; `null` until the system has answered khor's
             *     request for real-time priority.
             */
            priority: components["schemas"]["Priority"] | null;
            /**
             * Format: uint32
             * @description Number of times that khor has reopened the sound device since the engine started.
             */
            restarts: number;
            /**
             * Format: uint32
             * @description Sample rate of the device, Hz; `null` while no device is open.
             */
            sample_rate_hz: number | null;
            /**
             * Format: uint32
             * @description Largest number of synth voices that can sound at the same time: 24, or fewer while the
             *     processor is too slow.
             */
            voice_limit: number;
            /**
             * Format: uint32
             * @description Number of synth voices that are sounding, 0 to `voice_limit`.
             */
            voices: number;
            /**
             * Format: uint64
             * @description Number of underruns (gaps in the sound) since the engine started; `null` if the backend does
             *     not report underruns. A sound server never reports them.
             */
            xruns: number | null;
        };
        /** @description The sound device. */
        AudioRequest: {
            /**
             * @description System through which khor plays: `pulseaudio` or `alsa`. Empty selects the first one
             *     that works.
             * @default
             * @enum {string}
             */
            backend: "" | "pulseaudio" | "alsa";
            /**
             * @description Id of the sound device (`id:…`), as `khor devices` lists it. Empty selects the default
             *     device.
             * @default
             */
            device: string;
            /**
             * Format: int8
             * @description Loudness of an idle machine's music at volume 0.5, LUFS.
             * @default -23
             * @enum {integer}
             */
            loudness_lufs: -23 | -18 | -16;
            /**
             * Format: float
             * @description Volume of the sound device and of recordings, 0 (silent) to 1.
             * @default 0.5
             */
            master_gain: number;
            /**
             * Format: uint32
             * @description Sample rate that khor requests, hertz. The device may use another rate.
             * @default 48000
             */
            sample_rate: number;
        };
        /** @description The current bar of the music. */
        BarReport: {
            /**
             * Format: uint64
             * @description Number of the current bar since the music began.
             */
            bar: number;
            /**
             * Format: uint64
             * @description When the current bar began, milliseconds since 1970.
             */
            bar_ts_ms: number;
            /**
             * Format: double
             * @description Length of a step, milliseconds. A bar has 16 steps.
             */
            step_ms: number;
        };
        /** @description The baseline: the usual rate of each signal, which khor learns. */
        BaselineReport: {
            /** @description Whether a user has frozen the baseline. khor does not change a frozen baseline. */
            frozen: boolean;
            /** @description Whether khor is still learning the baseline; `null` while no source delivers counts. */
            learning: boolean | null;
            /**
             * Format: float
             * @description Share of the baseline that is learned, 0 to 1; `null` while no source delivers counts.
             */
            learnt: number | null;
        };
        /** @description The settings of the bed. */
        BedSettings: {
            /**
             * Format: float
             * @description Velocity of the bass note, which lies below the chord, 0..=1. At 0, there is no bass note.
             */
            bass_velocity: number;
            /**
             * Format: float
             * @description Length of one swell of the pad, seconds, 1..=20. It is rounded to whole bars.
             */
            breath_s: number;
            /**
             * Format: uint8
             * @description Number of bars between changes of harmony, 4..=8.
             */
            chord_bars: number;
            /**
             * Format: uint8
             * @description Number of notes of the chord, 1..=4.
             */
            notes: number;
            /** @description Register of the chord. For smooth voice leading, it should be at least 19 semitones wide. */
            register: components["schemas"]["Register"];
            /** @description Roots of the chords, as 1 to 64 scale degrees. Every fourth chord has the first root. */
            roots: number[];
            /**
             * Format: float
             * @description Strum: the time between the onsets of the chord's notes, steps, 0..=4.
             */
            strum_steps: number;
            /**
             * Format: float
             * @description Velocity of the notes of the chord, 0..=1.
             */
            velocity: number;
        };
        /** @description The settings of the bed. */
        BedSettingsRequest: {
            /**
             * Format: float
             * @description Velocity of the bass note, which lies below the chord, 0..=1. At 0, there is no bass note.
             */
            bass_velocity: number;
            /**
             * Format: float
             * @description Length of one swell of the pad, seconds, 1..=20. It is rounded to whole bars.
             */
            breath_s: number;
            /**
             * Format: uint8
             * @description Number of bars between changes of harmony, 4..=8.
             */
            chord_bars: number;
            /**
             * Format: uint8
             * @description Number of notes of the chord, 1..=4.
             */
            notes: number;
            /** @description Register of the chord. For smooth voice leading, it should be at least 19 semitones wide. */
            register: components["schemas"]["Register"];
            /** @description Roots of the chords, as 1 to 64 scale degrees. Every fourth chord has the first root. */
            roots: number[];
            /**
             * Format: float
             * @description Strum: the time between the onsets of the chord's notes, steps, 0..=4.
             * @default 0
             */
            strum_steps: number;
            /**
             * Format: float
             * @description Velocity of the notes of the chord, 0..=1.
             */
            velocity: number;
        };
        /** @description The collector's eBPF programs in the kernel. */
        BpfReport: {
            /** @description Whether the part is on in the settings. */
            enabled: boolean;
            /**
             * Format: int32
             * @description 0 without an error, else 1. This field is for clients of the original khor, the program that
             *     this khor replaces.
             */
            err_code: number;
            /** @description What does not work and why; `null` if everything works. */
            error: string | null;
            /** @description How to fix the error; `null` if there is no error, or if khor knows no fix. */
            fix: string | null;
            /** @description Whether the part works. False while the part is off, and until it has started. */
            ok: boolean;
        };
        /** @description The engine's subscription to the collector: signals, sample interval and scope. */
        BpfSubscription: {
            /**
             * @description Cgroup that khor plays: a systemd unit (`nginx.service`), or a path from the root of the
             *     hierarchy that begins with a slash. Empty selects the whole machine.
             */
            cgroup: string;
            /**
             * Format: uint32
             * @description Groups of signals that khor plays, as a sum of bits: 1 exec, 2 net, 4 sched, 8 block,
             *     16 tcp, 32 irq.
             */
            enabled_mask: number;
            /**
             * Format: uint16
             * @description Time between two samples of the collector, milliseconds.
             */
            sample_interval_ms: number;
            /** @description Ids of processes that khor plays in addition to the processes of `cgroup`. */
            tgid_allow: number[];
            /** @description Ids of processes that khor does not play. */
            tgid_deny: number[];
        };
        /** @description The engine's subscription to the collector: signals, sample interval and scope. */
        BpfSubscriptionRequest: {
            /**
             * @description Cgroup that khor plays: a systemd unit (`nginx.service`), or a path from the root of the
             *     hierarchy that begins with a slash. Empty selects the whole machine.
             * @default
             */
            cgroup: string;
            /**
             * Format: uint32
             * @description Groups of signals that khor plays, as a sum of bits: 1 exec, 2 net, 4 sched, 8 block,
             *     16 tcp, 32 irq.
             * @default 63
             */
            enabled_mask: number;
            /**
             * Format: uint16
             * @description Time between two samples of the collector, milliseconds.
             * @default 20
             */
            sample_interval_ms: number;
            /**
             * @description Ids of processes that khor plays in addition to the processes of `cgroup`.
             * @default []
             */
            tgid_allow: number[];
            /**
             * @description Ids of processes that khor does not play.
             * @default []
             */
            tgid_deny: number[];
        };
        /** @description One check and its result. */
        Check: {
            /** @description What the check found, one line. */
            detail: string;
            /** @description How to fix the problem; `null` if the check found no problem. */
            fix: string | null;
            /** @description What was checked, one or two words, such as `collector`. */
            name: string;
            /** @description Whether the check found a problem. */
            state: components["schemas"]["CheckState"];
        };
        /** @description Whether a check found a problem. */
        CheckState: "ok" | "problem" | "off";
        /** @description A clip: an example of how one scenario sounds, such as a busy disk. */
        ClipInfo: {
            /** @description Path of the clip's WAV file on this server. */
            file: string;
            /** @description How the scenario sounds, in words. */
            listen_for: string;
            /** @description Name of the scenario, such as `idle`. */
            scenario: string;
            /**
             * Format: double
             * @description Length of the clip, seconds.
             */
            seconds: number;
            /** @description What the machine does in the scenario, in words. */
            title: string;
        };
        /** @description The clips: examples of how a machine's activity sounds. */
        ClipList: {
            /** @description The clips. */
            clips: components["schemas"]["ClipInfo"][];
        };
        /**
         * @description All settings of khor. Unknown keys stay in the file, and khor warns about them. khor rejects
         *     a change with an unknown key.
         */
        Config: {
            /** @description The sound device. */
            audio: components["schemas"]["Audio"];
            /** @description The engine's subscription to the collector: signals, sample interval and scope. */
            bpf: components["schemas"]["BpfSubscription"];
            /** @description The services that khor offers on the session bus. */
            desktop: components["schemas"]["Desktop"];
            /** @description Which parts of khor are on. */
            features: components["schemas"]["Features"];
            /** @description The address of the HTTP API, and which clients it serves. */
            listen: components["schemas"]["Listen"];
            /** @description MIDI output. */
            midi: components["schemas"]["Midi"];
            /** @description The music. */
            music: components["schemas"]["Music"];
            /** @description OSC output and input. */
            osc: components["schemas"]["Osc"];
            /** @description Hours in which khor mutes the sound device every day. */
            quiet: components["schemas"]["Quiet"];
            /** @description Limits of the disk space for recordings. */
            recordings: components["schemas"]["Recordings"];
            /** @description How khor converts the rates of the signals to levels. */
            signals: components["schemas"]["Signals"];
            /** @description The site that khor plays instead of this machine. */
            site: components["schemas"]["Site"];
            /** @description The web page. */
            ui: components["schemas"]["Ui"];
            /**
             * Format: uint32
             * @description Version of the configuration format.
             */
            version: number;
        };
        /**
         * @description The answer to a change of the configuration. It contains the whole new configuration, of type
         *     `C`.
         */
        ConfigChanged: {
            /** @description The sound device. */
            audio: components["schemas"]["Audio"];
            /** @description The engine's subscription to the collector: signals, sample interval and scope. */
            bpf: components["schemas"]["BpfSubscription"];
            /** @description The services that khor offers on the session bus. */
            desktop: components["schemas"]["Desktop"];
            /** @description Which parts of khor are on. */
            features: components["schemas"]["Features"];
            /** @description The address of the HTTP API, and which clients it serves. */
            listen: components["schemas"]["Listen"];
            /** @description MIDI output. */
            midi: components["schemas"]["Midi"];
            /** @description The music. */
            music: components["schemas"]["Music"];
            /**
             * @description Why khor could not write the change to the configuration file; `null` if khor wrote it. An
             *     unwritten change is lost when the engine ends.
             */
            not_saved: string | null;
            /** @description Always true. */
            ok: boolean;
            /** @description OSC output and input. */
            osc: components["schemas"]["Osc"];
            /** @description Hours in which khor mutes the sound device every day. */
            quiet: components["schemas"]["Quiet"];
            /** @description Limits of the disk space for recordings. */
            recordings: components["schemas"]["Recordings"];
            /** @description Whether at least one of the changed settings takes effect only after a restart of khor. */
            restart_required: boolean;
            /** @description How khor converts the rates of the signals to levels. */
            signals: components["schemas"]["Signals"];
            /** @description The site that khor plays instead of this machine. */
            site: components["schemas"]["Site"];
            /** @description The web page. */
            ui: components["schemas"]["Ui"];
            /**
             * Format: uint32
             * @description Version of the configuration format.
             */
            version: number;
        };
        /** @description The configuration file. */
        ConfigReport: {
            /** @description Always `null`; the problems are in `warnings`. */
            error: string | null;
            /** @description Whether the configuration file is valid. */
            ok: boolean;
            /** @description The problems of the configuration file, one line each. */
            warnings: string[];
        };
        /**
         * @description All settings of khor. Unknown keys stay in the file, and khor warns about them. khor rejects
         *     a change with an unknown key.
         */
        ConfigRequest: {
            /**
             * @description The sound device.
             * @default {
             *       "backend": "",
             *       "device": "",
             *       "loudness_lufs": -23,
             *       "master_gain": 0.5,
             *       "sample_rate": 48000
             *     }
             */
            audio: components["schemas"]["AudioRequest"];
            /**
             * @description The engine's subscription to the collector: signals, sample interval and scope.
             * @default {
             *       "cgroup": "",
             *       "enabled_mask": 63,
             *       "sample_interval_ms": 20,
             *       "tgid_allow": [],
             *       "tgid_deny": []
             *     }
             */
            bpf: components["schemas"]["BpfSubscriptionRequest"];
            /**
             * @description The services that khor offers on the session bus.
             * @default {
             *       "bus": false,
             *       "mpris": false,
             *       "notifications": false
             *     }
             */
            desktop: components["schemas"]["DesktopRequest"];
            /**
             * @description Which parts of khor are on.
             * @default {
             *       "audio": true,
             *       "bpf": true,
             *       "fake": false,
             *       "midi": false,
             *       "osc": false
             *     }
             */
            features: components["schemas"]["FeaturesRequest"];
            /**
             * @description The address of the HTTP API, and which clients it serves.
             * @default {
             *       "allowed_hosts": [],
             *       "host": "127.0.0.1",
             *       "local_users": false,
             *       "port": 17321,
             *       "token_file": null
             *     }
             */
            listen: components["schemas"]["ListenRequest"];
            /**
             * @description MIDI output.
             * @default {
             *       "channel": 1,
             *       "clock": false,
             *       "port": "khor"
             *     }
             */
            midi: components["schemas"]["MidiRequest"];
            /**
             * @description The music.
             * @default {
             *       "bpm": 110,
             *       "density": 0.5,
             *       "key_midi": 50,
             *       "preset": "ambient",
             *       "scale": "dorian",
             *       "seed": 1,
             *       "smoothing": 0.5
             *     }
             */
            music: components["schemas"]["MusicRequest"];
            /**
             * @description OSC output and input.
             * @default {
             *       "host": "127.0.0.1",
             *       "port": 9000,
             *       "receive": {
             *         "enabled": false,
             *         "port": 9001
             *       },
             *       "targets": []
             *     }
             */
            osc: components["schemas"]["OscRequest"];
            /**
             * @description Hours in which khor mutes the sound device every day.
             * @default {
             *       "enabled": false,
             *       "from": "22:00",
             *       "to": "07:00"
             *     }
             */
            quiet: components["schemas"]["QuietRequest"];
            /**
             * @description Limits of the disk space for recordings.
             * @default {
             *       "min_free_mib": null,
             *       "quota_mib": 20480
             *     }
             */
            recordings: components["schemas"]["RecordingsRequest"];
            /**
             * @description How khor converts the rates of the signals to levels.
             * @default {
             *       "ceilings": {
             *         "cpu": 1,
             *         "csw": 120000,
             *         "exec": 250,
             *         "fault": 500000,
             *         "fork": 500,
             *         "io": 80000000,
             *         "irq": 200000,
             *         "lat": 0.5,
             *         "local": 50000000,
             *         "mem": 1,
             *         "retx": 50,
             *         "rx": 50000000,
             *         "softirq": 200000,
             *         "stall": 1,
             *         "tx": 50000000
             *       },
             *       "range": "adaptive"
             *     }
             */
            signals: components["schemas"]["SignalsRequest"];
            /**
             * @description The site that khor plays instead of this machine.
             * @default {
             *       "host": null,
             *       "mode": "ensemble",
             *       "name": "",
             *       "nats": {
             *         "creds": null,
             *         "nkey": null,
             *         "tls_ca": null,
             *         "tls_cert": null,
             *         "tls_key": null,
             *         "url": "nats://127.0.0.1:4222"
             *       }
             *     }
             */
            site: components["schemas"]["SiteRequest"];
            /**
             * @description The web page.
             * @default {
             *       "dir": null,
             *       "serve": true
             *     }
             */
            ui: components["schemas"]["UiRequest"];
            /**
             * Format: uint32
             * @description Version of the configuration format.
             * @default 1
             */
            version: number;
        };
        /** @description The version of the configuration. */
        ConfigVersion: {
            /** @description The `ETag` of `GET /api/config`, without quotes. It changes with every change of a setting. */
            tag: string;
        };
        /** @description The current controls: the settings of the music, the volume, and the mute. */
        ControlsReport: {
            /**
             * Format: float
             * @description Tempo, beats per minute.
             */
            bpm: number;
            /**
             * Format: float
             * @description How many notes the machine's activity causes, 0 (few) to 1 (many).
             */
            density: number;
            /**
             * Format: uint8
             * @description Tonic, a MIDI note number, 0 to 127.
             */
            key_midi: number;
            /**
             * Format: float
             * @description Volume of the sound device, 0 to 1.
             */
            master_gain: number;
            /** @description Whether the sound device is muted: manually, by a snooze or by quiet hours. */
            muted: boolean;
            /** @description Name of the current preset. */
            preset: string;
            /**
             * Format: uint64
             * @description When the current quiet hours end, milliseconds since 1970; `null` outside quiet hours.
             */
            quiet_until_ts_ms: number | null;
            /** @description The musical scale of all notes. */
            scale: components["schemas"]["Scale"];
            /** @description Why the sound device is muted; `null` if it is not muted. */
            silence: components["schemas"]["SilenceReport"] | null;
            /**
             * Format: float
             * @description How slowly the music follows the signals, 0 (immediately) to 1 (slowly).
             */
            smoothing: number;
            /**
             * Format: uint64
             * @description When the snooze ends, milliseconds since 1970; `null` without a snooze.
             */
            snoozed_until_ts_ms: number | null;
        };
        /** @description New cues. */
        CueList: {
            /**
             * @description The cues since the previous event, oldest first. After a greeting, these are the newest
             *     cues, at most 64.
             */
            cues: components["schemas"]["CueReport"][];
        };
        /** @description A cue: a single event of the kernel, such as a crash. */
        CueReport: {
            /** @description Name of the process; `null` if khor does not know the name. */
            comm: string | null;
            /**
             * Format: uint32
             * @description A number whose meaning depends on `kind`, such as the number of the signal that ended a
             *     process; `null` if this kind has no number.
             */
            detail: number | null;
            /** @description The host on which the event happened, if the source is a site; `null` for this machine. */
            host: string | null;
            /**
             * @description What happened, such as `crash`, `oom`, `exec` or `retx`. For a site also `lost` (a host has
             *     stopped sending) and `found` (the host sends again).
             */
            kind: string;
            /**
             * Format: uint32
             * @description Id of the process; `null` if khor does not know the process.
             */
            pid: number | null;
            /**
             * Format: uint64
             * @description Sequence number of the cue, from 1. The engine starts again at 1 after a restart.
             */
            seq: number;
            /**
             * Format: uint64
             * @description When the cue arrived, milliseconds since 1970.
             */
            ts_ms: number;
        };
        /** @description The shape of the curve from the input to the feature. */
        Curve: "linear" | "square" | "root";
        /** @description The services that khor offers on the session bus. */
        Desktop: {
            /** @description Offer the service `org.khor.Engine` on the session bus, for scripts and desktop tools. */
            bus: boolean;
            /**
             * @description Offer a media player to the desktop (MPRIS). Media keys and applets mute khor, set the
             *     volume and change the preset.
             */
            mpris: boolean;
            /**
             * @description Show a desktop notification when the kernel kills a program because memory ran out, when
             *     a program crashes, or when a disk request fails.
             */
            notifications: boolean;
        };
        /**
         * @description The health of khor's services on the session bus: the overall health, and the health of each
         *     service.
         */
        DesktopReport: {
            /** @description The D-Bus service `org.khor.Engine`. */
            bus: components["schemas"]["Health"];
            /** @description Whether the part is on in the settings. */
            enabled: boolean;
            /** @description What does not work and why; `null` if everything works. */
            error: string | null;
            /** @description How to fix the error; `null` if there is no error, or if khor knows no fix. */
            fix: string | null;
            /** @description The media player (MPRIS), for desktops and media keys. */
            mpris: components["schemas"]["Health"];
            /** @description The desktop notifications. */
            notifications: components["schemas"]["Health"];
            /** @description Whether the part works. False while the part is off, and until it has started. */
            ok: boolean;
        };
        /** @description The services that khor offers on the session bus. */
        DesktopRequest: {
            /**
             * @description Offer the service `org.khor.Engine` on the session bus, for scripts and desktop tools.
             * @default false
             */
            bus: boolean;
            /**
             * @description Offer a media player to the desktop (MPRIS). Media keys and applets mute khor, set the
             *     volume and change the preset.
             * @default false
             */
            mpris: boolean;
            /**
             * @description Show a desktop notification when the kernel kills a program because memory ran out, when
             *     a program crashes, or when a disk request fails.
             * @default false
             */
            notifications: boolean;
        };
        /** @description A signal that stands out from its baseline. */
        DeviatingSignal: {
            /**
             * Format: float
             * @description How many octaves the rate is above the baseline.
             */
            deviation: number;
            /** @description Display name of the signal, two or three words, such as `received`. */
            label: string;
            /**
             * Format: float
             * @description Level of the signal, 0 to 1.
             */
            level: number;
            /** @description The baseline (the usual rate) with its unit. */
            ordinary: string;
            /** @description The current rate with its unit, such as `24.1 MB/s`. */
            rate: string;
            /** @description Name of the signal. */
            signal: string;
            /**
             * Format: double
             * @description The rate divided by the baseline. `null` if the baseline is 0, or if the signal summarises
             *     the hosts of a site.
             */
            times: number | null;
        };
        /** @description A sound device that can play. */
        DeviceInfo: {
            /**
             * @description Id of the device for the setting `audio.device` and the API: `id:<backend>:<device>`. A
             *     restart does not change the id.
             */
            id: string;
            /** @description Whether this is the default device, which khor uses if no device is selected. */
            is_default: boolean;
            /** @description Display name of the device. */
            name: string;
        };
        /** @description The sound devices of this machine. */
        DeviceList: {
            /** @description The devices. */
            devices: components["schemas"]["DeviceInfo"][];
        };
        /** @description The answer of `POST /api/audio/device`. */
        DeviceSelected: {
            /** @description Id of the selected device; empty for the default device. */
            device: string;
            /** @description Always true. */
            ok: boolean;
        };
        /** @description The body of `POST /api/audio/device`. */
        DeviceSelectionRequest: {
            /**
             * @description Id of the device, from `GET /api/audio/devices`. Empty or `default` selects the default
             *     device.
             */
            device: string;
        };
        /** @description The results of all checks of this machine. */
        Diagnosis: {
            /** @description The results of the checks, in the order of the data flow from the kernel to the loudspeaker. */
            checks: components["schemas"]["Check"][];
            /** @description True if no check found a problem. */
            ok: boolean;
        };
        /** @description The answer to a request that succeeded and has no result. */
        Done: {
            /** @description Always true. */
            ok: boolean;
        };
        /** @description The data of one event. */
        EventData: components["schemas"]["MetricsReport2"] | components["schemas"]["StreamEvent"];
        /** @description A description of what khor plays and why, in words. */
        Explanation: {
            /** @description The parts of the music that are playing, each with its cause. */
            heard: components["schemas"]["SoundPart"][];
            /** @description One sentence about the current activity of the machine. */
            sentence: string;
            /** @description The signals that stand out from their baseline, the largest deviation first, at most five. */
            standing_out: components["schemas"]["DeviatingSignal"][];
            /**
             * @description The whole explanation as text, in lines of at most 80 characters. `khor explain` prints this
             *     text.
             */
            text: string;
        };
        /** @description A group of lanes that share a colour on the page, and a timbre and register in the music. */
        Family: "process" | "network" | "disk" | "memory" | "kernel";
        /** @description A feature of the music that an input can change. */
        FeatureInfo: {
            /**
             * Format: float
             * @description Smallest change of the feature that a listener can hear.
             */
            audible_step: number;
            /**
             * Format: float
             * @description Highest allowed value of the feature.
             */
            high: number;
            /** @description Layer of the music: `bed`, `pulse`, `voices` or `room`. */
            layer: string;
            /**
             * Format: float
             * @description Lowest allowed value of the feature.
             */
            low: number;
            /** @description What the feature changes in the sound, in words. */
            meaning: string;
            /** @description Name of the feature in a mapping, such as `bed.brightness`. */
            name: string;
            /** @description Unit of `low`, `high` and `audible_step`. */
            unit: string;
        };
        /** @description Which parts of khor are on. */
        Features: {
            /** @description Play the music on a sound device. */
            audio: boolean;
            /** @description Use the collector. If this is off, khor reads only `/proc`. */
            bpf: boolean;
            /** @description Play the synthetic demo source instead of this machine. */
            fake: boolean;
            /** @description Send the notes by MIDI. */
            midi: boolean;
            /** @description Send the notes and signals by OSC. */
            osc: boolean;
        };
        /** @description Which optional features are on. */
        FeaturesReport: {
            /** @description Whether khor plays the synthetic demo source instead of this machine. */
            fake: boolean;
        };
        /** @description Which parts of khor are on. */
        FeaturesRequest: {
            /**
             * @description Play the music on a sound device.
             * @default true
             */
            audio: boolean;
            /**
             * @description Use the collector. If this is off, khor reads only `/proc`.
             * @default true
             */
            bpf: boolean;
            /**
             * @description Play the synthetic demo source instead of this machine.
             * @default false
             */
            fake: boolean;
            /**
             * @description Send the notes by MIDI.
             * @default false
             */
            midi: boolean;
            /**
             * @description Send the notes and signals by OSC.
             * @default false
             */
            osc: boolean;
        };
        /** @description The kind of a patch's filter. */
        FilterMode: "low" | "band" | "high";
        /** @description The hosts of the current site. */
        FleetReport: {
            /** @description The only host that plays, if the setting `site.host` selects one; `null` if all hosts play. */
            alone: components["schemas"]["SingleHostReport"] | null;
            /** @description What does not work and why; `null` if everything works. */
            error: string | null;
            /** @description How to fix the error; `null` if there is no error, or if khor knows no fix. */
            fix: string | null;
            /**
             * @description The hosts, sorted by deviation with the largest first; silent hosts are at the end. From a
             *     sub-site, the list contains only the hosts that stand out.
             */
            hosts: components["schemas"]["HostReport"][];
            /**
             * Format: uint32
             * @description Number of hosts that are sending messages, including the hosts of sub-sites.
             */
            live: number;
            /** @description The current value of the setting `site.mode`, which selects the hosts that play. */
            mode: components["schemas"]["SiteMode"];
            /** @description Whether khor receives the site's messages. */
            ok: boolean;
            /** @description Number of rejected messages, by reason. */
            refused: components["schemas"]["RefusedMessages"];
            /** @description Why khor cannot play in the requested mode; `null` if khor plays in this mode. */
            remark: string | null;
            /** @description The sections that have their own pulse. */
            sections: components["schemas"]["SectionReport"][];
            /**
             * Format: uint32
             * @description Number of hosts that have stopped sending messages, including the hosts of sub-sites.
             */
            silent: number;
            /** @description Name of the site; `null` if no site is the source. */
            site: string | null;
            /**
             * @description The sub-sites, sorted by name. A sub-site is a site within this site. Its aggregators send
             *     sums over its hosts instead of every host.
             */
            sites: components["schemas"]["SubSiteReport"][];
            /** @description Names of the soloists: the one or two hosts whose voices play, the largest deviation first. */
            soloists: string[];
            /**
             * Format: uint
             * @description Number of turns in the roll call, the mode in which the hosts play one after another; 0 in
             *     other modes.
             */
            turns: number;
            /** @description Number of hosts that run each version of the relay. */
            versions: {
                [key: string]: number;
            };
        };
        /** @description The service that granted real-time priority. */
        Granter: "limits" | "rtkit";
        /** @description The version and the start time of the engine that sends the stream. */
        Greeting: {
            /**
             * Format: uint64
             * @description When the engine started, milliseconds since 1970. After a restart, the engine numbers its
             *     notes and cues from 1 again.
             */
            started_ts_ms: number;
            /** @description Version of the engine. */
            version: string;
        };
        /** @description The health of one part of khor: whether the part is switched on, and whether it works. */
        Health: {
            /** @description Whether the part is on in the settings. */
            enabled: boolean;
            /** @description What does not work and why; `null` if everything works. */
            error: string | null;
            /** @description How to fix the error; `null` if there is no error, or if khor knows no fix. */
            fix: string | null;
            /** @description Whether the part works. False while the part is off, and until it has started. */
            ok: boolean;
        };
        /** @description The state of every part of the engine. */
        HealthReport: {
            /** @description The sound device. */
            audio: components["schemas"]["AudioReport"];
            /** @description The learned baseline. */
            baseline: components["schemas"]["BaselineReport"];
            /** @description The collector's eBPF programs in the kernel. */
            bpf: components["schemas"]["BpfReport"];
            /** @description The configuration file. */
            config: components["schemas"]["ConfigReport"];
            /** @description Path of the configuration file. */
            config_path: string;
            /** @description khor's services on the session bus. */
            desktop: components["schemas"]["DesktopReport"];
            /** @description Which optional features are on. */
            features: components["schemas"]["FeaturesReport"];
            /** @description The machine on which the engine runs. */
            host: components["schemas"]["MachineReport"];
            /** @description The clients that listen to the sound over the network. */
            listen: components["schemas"]["ListenReport"];
            /** @description The MIDI output. */
            midi: components["schemas"]["MidiReport"];
            /** @description Kernel events that the collector's programs missed. */
            missed: components["schemas"]["MissedReport"];
            /** @description The OSC output and input. */
            osc: components["schemas"]["OscReport"];
            /** @description The user's presets. */
            presets: components["schemas"]["PresetsReport"];
            /**
             * @description The kernel's counters. Each entry states whether the source has the counter. Empty for a
             *     site, and while the source delivers nothing.
             */
            probes: components["schemas"]["ProbeReport"][];
            /** @description The current or last recording. */
            recording: components["schemas"]["RecordingStatus"];
            /** @description The scope: the part of the machine whose activity khor plays. */
            scope: components["schemas"]["ScopeReport"];
            /** @description Where the counts come from. */
            source: components["schemas"]["SourceReport"];
            /** @description The time zone that the quiet hours use. */
            time: components["schemas"]["TimeReport"];
            /**
             * Format: uint64
             * @description When the engine made this report, milliseconds since 1970.
             */
            ts_ms: number;
            /** @description Version of the engine. */
            version: string;
        };
        /**
         * @description The rates of the last two minutes, 5 points per second, and the newest notes. Each signal has
         *     one list of rates, so this answer is much smaller than the history in `GET /api/metrics`.
         */
        HistoryColumns: {
            /** @description The newest notes, at most 512, oldest first. */
            notes: components["schemas"]["NoteReport"][];
            /**
             * @description For each signal, a list with one rate per point. The rates are in the signal's unit and
             *     rounded to four digits. A rate is `null` if the signal was missing.
             */
            rates: {
                [key: string]: (number | null)[];
            };
            /** @description The times of the points, milliseconds since 1970, oldest first. */
            ts_ms: number[];
        };
        /** @description The rates and levels at one point in time. */
        HistoryPoint: {
            /**
             * Format: double
             * @description Kilobytes (1000 bytes) read from disks, per second.
             */
            blk_r_kbs: number | null;
            /**
             * Format: double
             * @description Kilobytes (1000 bytes) written to disks, per second.
             */
            blk_w_kbs: number | null;
            /**
             * Format: double
             * @description Context switches per second.
             */
            csw_s: number | null;
            /**
             * Format: double
             * @description Program starts per second.
             */
            exec_s: number | null;
            /**
             * Format: double
             * @description Device interrupts per second.
             */
            irq_s: number | null;
            /**
             * @description Level of each signal, 0 to 1; `null` if the signal was missing. Lanes that were added after
             *     this time are not in the object.
             */
            levels: {
                [key: string]: number | null;
            };
            /**
             * Format: double
             * @description Share of the time in which at least one task waited for memory, percent.
             */
            mem_pct: number | null;
            /** @description Rate of each signal, in the signal's unit; `null` if the signal was missing. */
            rates: {
                [key: string]: number | null;
            };
            /**
             * Format: double
             * @description TCP segments that were sent again, per second.
             */
            retx_s: number | null;
            /**
             * Format: double
             * @description Kilobytes (1000 bytes) that the machine received from other machines, per second: the rate
             *     of the signal `rx`.
             */
            rx_kbs: number | null;
            /**
             * Format: uint64
             * @description Time of the point, milliseconds since 1970.
             */
            ts_ms: number;
            /**
             * Format: double
             * @description Kilobytes (1000 bytes) that the machine sent to other machines, per second: the rate of the
             *     signal `tx`.
             */
            tx_kbs: number | null;
        };
        /** @description The rates and levels at one point in time. */
        HistoryPoint2: {
            /**
             * Format: double
             * @description Kilobytes (1000 bytes) read from disks, per second.
             */
            blk_r_kbs: number | null;
            /**
             * Format: double
             * @description Kilobytes (1000 bytes) written to disks, per second.
             */
            blk_w_kbs: number | null;
            /**
             * Format: double
             * @description Context switches per second.
             */
            csw_s: number | null;
            /**
             * Format: double
             * @description Program starts per second.
             */
            exec_s: number | null;
            /**
             * Format: double
             * @description Device interrupts per second.
             */
            irq_s: number | null;
            /**
             * @description Level of each signal, 0 to 1; `null` if the signal was missing. Lanes that were added after
             *     this time are not in the object.
             */
            levels: {
                [key: string]: number | null;
            };
            /**
             * Format: double
             * @description Share of the time in which at least one task waited for memory, percent.
             */
            mem_pct: number | null;
            /** @description Rate of each signal, in the signal's unit; `null` if the signal was missing. */
            rates: {
                [key: string]: number | null;
            };
            /**
             * Format: double
             * @description TCP segments that were sent again, per second.
             */
            retx_s: number | null;
            /**
             * Format: double
             * @description Kilobytes (1000 bytes) that the machine received from other machines, per second: the rate
             *     of the signal `rx`.
             */
            rx_kbs: number | null;
            /**
             * Format: uint64
             * @description Time of the point, milliseconds since 1970.
             */
            ts_ms: number;
            /**
             * Format: double
             * @description Kilobytes (1000 bytes) that the machine sent to other machines, per second: the rate of the
             *     signal `tx`.
             */
            tx_kbs: number | null;
        };
        /** @description One host of the site. */
        HostReport: {
            /**
             * Format: int64
             * @description This machine's clock minus the host's clock, plus the travel time of the message,
             *     milliseconds. Negative if the host's clock is ahead.
             */
            clock_behind_ms: number;
            /** @description Whether the clocks of the host and of this machine differ by more than 2 s. */
            clock_off: boolean;
            /**
             * Format: float
             * @description The host's largest deviation from its own baseline, in octaves; `null` if the host is silent
             *     or has no signal.
             */
            deviation: number | null;
            /**
             * Format: uint64
             * @description Number of the host's frames that arrived after a newer frame.
             */
            late_frames: number;
            /**
             * Format: float
             * @description Share of the host's baseline that is learned, 0 to 1.
             */
            learnt: number;
            /** @description Why khor drops a lane that the host adds; `null` if khor drops no lane of this host. */
            left_out: string | null;
            /**
             * Format: uint64
             * @description Number of the host's frames that did not arrive.
             */
            missed_frames: number;
            /** @description Name of the host, unique within the site. */
            name: string;
            /**
             * @description Why khor rejected the last message under the host's NATS subject; `null` if it rejected
             *     none.
             */
            refusal: string | null;
            /**
             * Format: uint64
             * @description Number of rejected messages under the host's NATS subject.
             */
            refused_messages: number;
            /** @description Section of the host; `null` for a host without a section. */
            section: string | null;
            /**
             * Format: uint64
             * @description Age of the host's last message, milliseconds.
             */
            seen_ms_ago: number;
            /** @description Name of the signal with the largest deviation; `null` if `deviation` is `null`. */
            signal: string | null;
            /** @description Where the host's counts come from: `collector`, `proc`, `demo` or `unknown`. */
            source: string;
            /** @description Whether the host is sending messages. */
            state: components["schemas"]["HostState"];
            /** @description Whether two relays use the name of this host. */
            used_twice: boolean;
            /** @description Version of the host's relay. */
            version: string;
            /** @description The sub-site that reported the host; `null` if the host's own relay reported it. */
            via: string | null;
        };
        /** @description Whether a host or a sub-site sends messages. */
        HostState: "live" | "silent";
        /** @description An input of a mapping. */
        InputInfo: {
            /** @description Family of the signal; `null` for `work`, which is all signals together. */
            family: components["schemas"]["Family"] | null;
            /** @description Display name of the input, two or three words. */
            label: string;
            /** @description Name of the input in a mapping. */
            name: string;
        };
        /** @description All lanes, in the order of the catalogue. */
        LaneList: {
            /** @description The lanes. The lists in a `values` event have the same order as this list. */
            lanes: components["schemas"]["LaneReport"][];
        };
        /** @description The description of a lane. A lane is a signal of the kernel, or a quantity that the source adds. */
        LaneReport: {
            /** @description Whether the source delivers the lane. */
            available: boolean;
            /** @description The lane's family. Lanes of one family share a colour, a timbre and a register. */
            family: components["schemas"]["Family"];
            /**
             * Format: double
             * @description The grain: the smallest significant difference of the rate, in `unit`, greater than 0. A
             *     rate of one grain is one octave above a rate of 0.
             */
            grain: number;
            /** @description Display name of the lane, two or three words, such as `program starts`. */
            label: string;
            /** @description Name of the lane, such as `exec`. */
            name: string;
            /** @description Why the lane is missing; `null` if it is available. */
            reason: string | null;
            /**
             * @description Unit of the rate and the baseline: `1/s`, `B/s`, `s` (a mean time) or `ratio` (a share of
             *     time, 0 to 1).
             */
            unit: string;
        };
        /**
         * @description The values of all lanes, in the order of the last `lanes` event, rounded to four digits. A
         *     missing value is `null`.
         */
        LaneValues: {
            /** @description Usual rate of each lane, in the unit of the lane. */
            baseline: (number | null)[];
            /** @description How many octaves the rate of each lane is above its baseline. */
            deviation: (number | null)[];
            /**
             * Format: double
             * @description Bytes read from disks, per second.
             */
            disk_read_bytes_s: number | null;
            /**
             * Format: double
             * @description Bytes written to disks, per second.
             */
            disk_written_bytes_s: number | null;
            /** @description Level of each lane, 0 to 1. */
            level: (number | null)[];
            /** @description Current rate of each lane, in the unit of the lane. */
            rate: (number | null)[];
            /** @description How sudden the last change of each lane was, 0 to 1. */
            surprise: (number | null)[];
            /**
             * Format: uint64
             * @description When the engine computed these values, milliseconds since 1970.
             */
            ts_ms: number;
        };
        /** @description The layer of a note. Each layer represents one aspect of the host. */
        Layer: "bed" | "pulse" | "voices" | "cues";
        /** @description The address of the HTTP API, and which clients it serves. */
        Listen: {
            /**
             * @description Additional names under which clients reach the API, such as the name of a reverse proxy:
             *     `name` or `name:port` for a page with TLS, `http://name` for a page without TLS.
             */
            allowed_hosts: string[];
            /**
             * @description IP address of this machine on which the API listens. An address that other machines can
             *     reach needs a token.
             */
            host: string;
            /**
             * @description Serve every user of this machine, not only the engine's own user and root. This has no
             *     effect with a `token_file`.
             */
            local_users: boolean;
            /**
             * Format: uint16
             * @description TCP port of the API.
             */
            port: number;
            /** @description File with a token of at least 32 characters. If it is set, every client needs the token. */
            token_file: string | null;
        };
        /** @description The clients that listen to the sound over the network. */
        ListenReport: {
            /**
             * Format: uint
             * @description Largest number of listeners that can connect at the same time.
             */
            at_most: number;
            /**
             * Format: uint
             * @description Number of listeners that are connected now. A running recording counts as one listener.
             */
            listeners: number;
        };
        /** @description The address of the HTTP API, and which clients it serves. */
        ListenRequest: {
            /**
             * @description Additional names under which clients reach the API, such as the name of a reverse proxy:
             *     `name` or `name:port` for a page with TLS, `http://name` for a page without TLS.
             * @default []
             */
            allowed_hosts: string[];
            /**
             * @description IP address of this machine on which the API listens. An address that other machines can
             *     reach needs a token.
             * @default 127.0.0.1
             */
            host: string;
            /**
             * @description Serve every user of this machine, not only the engine's own user and root. This has no
             *     effect with a `token_file`.
             * @default false
             */
            local_users: boolean;
            /**
             * Format: uint16
             * @description TCP port of the API.
             * @default 17321
             */
            port: number;
            /**
             * @description File with a token of at least 32 characters. If it is set, every client needs the token.
             * @default null
             */
            token_file: string | null;
        };
        /** @description The body of `POST /api/login`. */
        LoginRequest: {
            /**
             * @description The path for which the session's cookie is valid, for example `/khor/` if a proxy serves the
             *     page at this path. Without this field, the cookie is valid for all paths.
             */
            path?: string | null;
            /** @description The token from the file in the setting `listen.token_file`. */
            token: string;
        };
        /** @description The machine on which the engine runs. */
        MachineReport: {
            /**
             * Format: uint
             * @description Number of CPUs that the engine may use.
             */
            cpus: number;
            /** @description Release of the kernel, such as `6.18.0`. */
            kernel: string;
            /** @description Host name of the machine. */
            name: string;
        };
        /**
         * @description The words that are allowed in the mapping of a preset. A mapping connects signals to features of
         *     the music.
         */
        MappingVocabulary: {
            /** @description The curves that convert the value of an input to the value of a feature. */
            curves: components["schemas"]["Curve"][];
            /** @description The features of the music that an input can change. */
            features: components["schemas"]["FeatureInfo"][];
            /** @description The inputs: every signal, and `work`, which is all signals together. */
            inputs: components["schemas"]["InputInfo"][];
            /** @description The kinds of value that an input has, such as its level. A mapping selects one of them. */
            of: components["schemas"]["Of"][];
            /** @description The directions in which a feature can change when an input rises. */
            polarities: components["schemas"]["Polarity"][];
        };
        /**
         * @description Rates, signals, controls, notes and cues. The event stream sends this report without `history`.
         *
         *     `P` is the type of a history point. The server uses a type that caches the point's JSON.
         */
        MetricsReport: {
            /** @description The current controls. */
            controls: components["schemas"]["ControlsReport"];
            /**
             * @description The newest cues, at most 64, oldest first. An event of the stream contains only the cues
             *     since the previous event. At the limit, khor drops the oldest cue of the host with the most
             *     cues.
             */
            cues: components["schemas"]["CueReport"][];
            /**
             * @description The last two minutes, 5 points per second, oldest first. Events of the stream have no
             *     history.
             */
            history?: components["schemas"]["HistoryPoint"][] | null;
            /** @description The current bar and step of the music; `null` until the music begins. */
            music: components["schemas"]["MusicReport"] | null;
            /**
             * @description The newest notes, at most 512, oldest first. An event of the stream contains only the notes
             *     since the previous event.
             */
            notes: components["schemas"]["NoteReport"][];
            /**
             * @description The rates of the original khor, the program that this khor replaces. All rates are `null`
             *     for a site.
             */
            rates: components["schemas"]["OriginalRates"];
            /**
             * @description The signals by name: first the kernel's signals, then the lanes that the source adds. For a
             *     site, each signal is the median over all hosts; signals of waiting are the 90th percentile.
             */
            signals: {
                [key: string]: components["schemas"]["SignalReport"];
            };
            /**
             * @description The soloists: the one or two hosts of a site whose voices play, the largest deviation first.
             *     Empty without a site.
             */
            soloists: components["schemas"]["SoloReport"][];
            /** @description The totals of the original khor, the program that this khor replaces. */
            totals: components["schemas"]["OriginalTotals"];
            /**
             * Format: uint64
             * @description When the engine made this report, milliseconds since 1970.
             */
            ts_ms: number;
        };
        /**
         * @description Rates, signals, controls, notes and cues. The event stream sends this report without `history`.
         *
         *     `P` is the type of a history point. The server uses a type that caches the point's JSON.
         */
        MetricsReport2: {
            /** @description The current controls. */
            controls: components["schemas"]["ControlsReport"];
            /**
             * @description The newest cues, at most 64, oldest first. An event of the stream contains only the cues
             *     since the previous event. At the limit, khor drops the oldest cue of the host with the most
             *     cues.
             */
            cues: components["schemas"]["CueReport"][];
            /**
             * @description The last two minutes, 5 points per second, oldest first. Events of the stream have no
             *     history.
             */
            history?: components["schemas"]["HistoryPoint2"][] | null;
            /** @description The current bar and step of the music; `null` until the music begins. */
            music: components["schemas"]["MusicReport"] | null;
            /**
             * @description The newest notes, at most 512, oldest first. An event of the stream contains only the notes
             *     since the previous event.
             */
            notes: components["schemas"]["NoteReport"][];
            /**
             * @description The rates of the original khor, the program that this khor replaces. All rates are `null`
             *     for a site.
             */
            rates: components["schemas"]["OriginalRates"];
            /**
             * @description The signals by name: first the kernel's signals, then the lanes that the source adds. For a
             *     site, each signal is the median over all hosts; signals of waiting are the 90th percentile.
             */
            signals: {
                [key: string]: components["schemas"]["SignalReport"];
            };
            /**
             * @description The soloists: the one or two hosts of a site whose voices play, the largest deviation first.
             *     Empty without a site.
             */
            soloists: components["schemas"]["SoloReport"][];
            /** @description The totals of the original khor, the program that this khor replaces. */
            totals: components["schemas"]["OriginalTotals"];
            /**
             * Format: uint64
             * @description When the engine made this report, milliseconds since 1970.
             */
            ts_ms: number;
        };
        /** @description MIDI output. */
        Midi: {
            /**
             * Format: uint8
             * @description MIDI channel of the melody. All other roles have fixed channels.
             */
            channel: number;
            /** @description Send MIDI clock (24 per quarter note), start and stop. The clock starts at a bar line. */
            clock: boolean;
            /** @description Name of khor's port in the ALSA sequencer. */
            port: string;
        };
        /** @description The MIDI output. */
        MidiReport: {
            /**
             * Format: uint8
             * @description MIDI channel of the melody, 1 to 16.
             */
            channel: number;
            /** @description Whether the part is on in the settings. */
            enabled: boolean;
            /** @description What does not work and why; `null` if everything works. */
            error: string | null;
            /** @description How to fix the error; `null` if there is no error, or if khor knows no fix. */
            fix: string | null;
            /** @description Whether the part works. False while the part is off, and until it has started. */
            ok: boolean;
            /** @description Name of khor's port in the ALSA sequencer. */
            port: string;
        };
        /** @description MIDI output. */
        MidiRequest: {
            /**
             * Format: uint8
             * @description MIDI channel of the melody. All other roles have fixed channels.
             * @default 1
             */
            channel: number;
            /**
             * @description Send MIDI clock (24 per quarter note), start and stop. The clock starts at a bar line.
             * @default false
             */
            clock: boolean;
            /**
             * @description Name of khor's port in the ALSA sequencer.
             * @default khor
             */
            port: string;
        };
        /** @description Kernel events that the collector's programs missed since the engine started. */
        MissedReport: {
            /**
             * Format: uint64
             * @description Number of missed events; `null` without a collector.
             */
            events: number | null;
            /** @description Why the programs missed events; `null` if they missed none. */
            reason: string | null;
        };
        /** @description How a stream of the pulse chooses its pitches. */
        Motion: "up" | "up_down" | "root" | "walk";
        /** @description The music. */
        Music: {
            /**
             * Format: float
             * @description Tempo, beats per minute.
             */
            bpm: number;
            /**
             * Format: float
             * @description How many notes the machine's activity causes, 0 (few) to 1 (many).
             */
            density: number;
            /**
             * Format: uint8
             * @description Tonic (key), a MIDI note number. Most roles use only its pitch class.
             */
            key_midi: number;
            /** @description Name of the preset, as `khor presets` lists it. */
            preset: string;
            /** @description The musical scale of all notes. */
            scale: components["schemas"]["Scale"];
            /**
             * Format: uint64
             * @description Seed of the random choices. The same seed and capture give the same music.
             */
            seed: number;
            /**
             * Format: float
             * @description How slowly the music follows the signals, 0 (immediately) to 1 (slowly).
             */
            smoothing: number;
        };
        /** @description The current bar and step of the music. */
        MusicReport: {
            /**
             * Format: uint64
             * @description Number of the current bar since the music began.
             */
            bar: number;
            /**
             * Format: uint64
             * @description When the current bar began, milliseconds since 1970.
             */
            bar_ts_ms: number;
            /**
             * Format: uint8
             * @description Number of the current step within the bar, 0 to 15.
             */
            step: number;
            /**
             * Format: double
             * @description Length of a step, milliseconds.
             */
            step_ms: number;
        };
        /** @description The music. */
        MusicRequest: {
            /**
             * Format: float
             * @description Tempo, beats per minute.
             * @default 110
             */
            bpm: number;
            /**
             * Format: float
             * @description How many notes the machine's activity causes, 0 (few) to 1 (many).
             * @default 0.5
             */
            density: number;
            /**
             * Format: uint8
             * @description Tonic (key), a MIDI note number. Most roles use only its pitch class.
             * @default 50
             */
            key_midi: number;
            /**
             * @description Name of the preset, as `khor presets` lists it.
             * @default ambient
             */
            preset: string;
            /**
             * @description The musical scale of all notes.
             * @default dorian
             */
            scale: components["schemas"]["Scale"];
            /**
             * Format: uint64
             * @description Seed of the random choices. The same seed and capture give the same music.
             * @default 1
             */
            seed: number;
            /**
             * Format: float
             * @description How slowly the music follows the signals, 0 (immediately) to 1 (slowly).
             * @default 0.5
             */
            smoothing: number;
        };
        /** @description The answer of `POST /api/actions/mute`. */
        Muted: {
            /** @description Whether the sound device is muted now. */
            muted: boolean;
            /** @description Always true. */
            ok: boolean;
        };
        /** @description A NATS server and the credentials for it. */
        Nats: {
            /** @description Credentials file (JWT and seed) for the NATS server, as NATS' own tools write it. */
            creds: string | null;
            /** @description File with the seed of an NKey for the NATS server. */
            nkey: string | null;
            /**
             * @description PEM file with the certificate of the authority that signed the server's certificate.
             *     Null means the system's authorities.
             */
            tls_ca: string | null;
            /** @description PEM file with khor's own client certificate, if the server requires one. */
            tls_cert: string | null;
            /** @description PEM file with the key of khor's client certificate. */
            tls_key: string | null;
            /**
             * @description Address of the NATS server: `nats://HOST:PORT`, or `tls://HOST:PORT`, which always uses
             *     TLS.
             */
            url: string;
        };
        /** @description A NATS server and the credentials for it. */
        NatsRequest: {
            /**
             * @description Credentials file (JWT and seed) for the NATS server, as NATS' own tools write it.
             * @default null
             */
            creds: string | null;
            /**
             * @description File with the seed of an NKey for the NATS server.
             * @default null
             */
            nkey: string | null;
            /**
             * @description PEM file with the certificate of the authority that signed the server's certificate.
             *     Null means the system's authorities.
             * @default null
             */
            tls_ca: string | null;
            /**
             * @description PEM file with khor's own client certificate, if the server requires one.
             * @default null
             */
            tls_cert: string | null;
            /**
             * @description PEM file with the key of khor's client certificate.
             * @default null
             */
            tls_key: string | null;
            /**
             * @description Address of the NATS server: `nats://HOST:PORT`, or `tls://HOST:PORT`, which always uses
             *     TLS.
             * @default nats://127.0.0.1:4222
             */
            url: string;
        };
        /** @description New notes. */
        NoteList: {
            /**
             * @description The notes since the previous event, oldest first. After a greeting, these are the newest
             *     notes, at most 64. `GET /api/history` returns the earlier notes.
             */
            notes: components["schemas"]["NoteReport"][];
        };
        /** @description A note that khor sent to the outputs. */
        NoteReport: {
            /**
             * Format: uint8
             * @description Default MIDI channel of the timbre, 1 to 16. The setting `midi.channel` does not change this
             *     value.
             */
            channel: number;
            /**
             * Format: float
             * @description Length of the note, seconds.
             */
            duration_s: number;
            /** @description The layer of the music that the note belongs to. */
            layer: components["schemas"]["Layer"];
            /**
             * Format: uint8
             * @description MIDI note number, 0 to 127.
             */
            midi: number;
            /** @description The timbre that plays the note. */
            role: components["schemas"]["Role"];
            /**
             * Format: uint64
             * @description Sequence number of the note, from 1. The engine starts again at 1 after a restart.
             */
            seq: number;
            /** @description Name of the signal that caused the note; `null` if no single signal did. */
            signal: string | null;
            /**
             * Format: uint64
             * @description When the note begins, milliseconds since 1970.
             */
            ts_ms: number;
            /**
             * Format: float
             * @description Velocity (loudness) of the note, 0 to 1.
             */
            velocity: number;
        };
        /**
         * @description Selects one of the three values of a signal: level, deviation or surprise.
         * @enum {string}
         */
        Of: "level" | "deviation" | "surprise";
        /**
         * @description The rates of the original khor, the program that this khor replaces. A rate is `null` if the
         *     source does not count it.
         */
        OriginalRates: {
            /**
             * Format: double
             * @description Kilobytes (1000 bytes) read from disks, per second.
             */
            blk_r_kbs: number | null;
            /**
             * Format: double
             * @description Kilobytes (1000 bytes) written to disks, per second.
             */
            blk_w_kbs: number | null;
            /**
             * Format: double
             * @description Context switches per second.
             */
            csw_s: number | null;
            /**
             * Format: double
             * @description Program starts per second.
             */
            exec_s: number | null;
            /**
             * Format: double
             * @description Device interrupts per second.
             */
            irq_s: number | null;
            /**
             * Format: double
             * @description Share of the time in which at least one task waited for memory, percent.
             */
            mem_pct: number | null;
            /**
             * Format: double
             * @description TCP segments that were sent again, per second.
             */
            retx_s: number | null;
            /**
             * Format: double
             * @description Kilobytes (1000 bytes) that the machine received from other machines, per second: the rate
             *     of the signal `rx`.
             */
            rx_kbs: number | null;
            /**
             * Format: double
             * @description Kilobytes (1000 bytes) that the machine sent to other machines, per second: the rate of the
             *     signal `tx`.
             */
            tx_kbs: number | null;
        };
        /**
         * @description The totals of the original khor, for the selected scope since the engine started. When the
         *     source changes or restarts, each total continues from its last value. A total is `null` if the
         *     source does not count it.
         */
        OriginalTotals: {
            /**
             * Format: uint64
             * @description Bytes read from disks.
             */
            blk_read_bytes_total: number | null;
            /**
             * Format: uint64
             * @description Bytes written to disks.
             */
            blk_write_bytes_total: number | null;
            /**
             * Format: uint64
             * @description Number of cues that the kernel or the collector dropped. Other events are never dropped,
             *     because the kernel only counts them.
             */
            events_dropped: number | null;
            /**
             * Format: uint64
             * @description Number of events that the kernel counted: program starts, new tasks, packets, context
             *     switches, disk requests, retransmits and interrupts.
             */
            events_total: number | null;
            /**
             * Format: uint64
             * @description Number of program starts.
             */
            exec_total: number | null;
            /**
             * Format: uint64
             * @description Number of device interrupts.
             */
            irq_total: number | null;
            /**
             * Format: uint64
             * @description Bytes that all network devices received. Bytes that pass through several devices count more
             *     than once.
             */
            net_rx_bytes_total: number | null;
            /**
             * Format: uint64
             * @description Bytes that all network devices sent. Bytes that pass through several devices count more than
             *     once.
             */
            net_tx_bytes_total: number | null;
            /**
             * Format: uint64
             * @description Number of context switches.
             */
            sched_switch_total: number | null;
            /**
             * Format: uint64
             * @description Number of TCP segments that were sent again.
             */
            tcp_retransmit_total: number | null;
        };
        /** @description OSC output. */
        Osc: {
            /** @description Host name or IP address of the first target. */
            host: string;
            /**
             * Format: uint16
             * @description UDP port of the first target.
             */
            port: number;
            /** @description OSC input. */
            receive: components["schemas"]["OscReceive"];
            /** @description Additional targets, each `host:port`. */
            targets: string[];
        };
        /** @description OSC input: programs on this machine can change settings. */
        OscReceive: {
            /** @description Receive OSC messages that change settings. */
            enabled: boolean;
            /**
             * Format: uint16
             * @description UDP port on 127.0.0.1 for the OSC input.
             */
            port: number;
        };
        /** @description OSC input: programs on this machine can change settings. */
        OscReceiveRequest: {
            /**
             * @description Receive OSC messages that change settings.
             * @default false
             */
            enabled: boolean;
            /**
             * Format: uint16
             * @description UDP port on 127.0.0.1 for the OSC input.
             * @default 9001
             */
            port: number;
        };
        /** @description The OSC output, and the OSC input in the field `receive`. */
        OscReport: {
            /** @description Whether the part is on in the settings. */
            enabled: boolean;
            /** @description What does not work and why; `null` if everything works. */
            error: string | null;
            /** @description How to fix the error; `null` if there is no error, or if khor knows no fix. */
            fix: string | null;
            /** @description Host of the first OSC target: a name or an IP address. */
            host: string;
            /** @description Whether the part works. False while the part is off, and until it has started. */
            ok: boolean;
            /**
             * Format: uint16
             * @description UDP port of the first OSC target.
             */
            port: number;
            /** @description The OSC input. */
            receive: components["schemas"]["ReceiveReport"];
            /** @description All OSC targets, each with its own health. */
            targets: components["schemas"]["TargetHealth"][];
        };
        /** @description OSC output. */
        OscRequest: {
            /**
             * @description Host name or IP address of the first target.
             * @default 127.0.0.1
             */
            host: string;
            /**
             * Format: uint16
             * @description UDP port of the first target.
             * @default 9000
             */
            port: number;
            /**
             * @description OSC input.
             * @default {
             *       "enabled": false,
             *       "port": 9001
             *     }
             */
            receive: components["schemas"]["OscReceiveRequest"];
            /**
             * @description Additional targets, each `host:port`.
             * @default []
             */
            targets: string[];
        };
        /** @description The timbre of an instrument. When a note begins, its voice copies the patch. */
        Patch: {
            /**
             * Format: float
             * @description Attack: time until the full level is reached, ms, 1..=10000.
             */
            attack_ms: number;
            /**
             * Format: float
             * @description Cutoff or centre frequency of the filter, Hz, 40..=16000. It applies to middle C at neutral
             *     brightness, before the envelope opens the filter.
             */
            cutoff_hz: number;
            /**
             * Format: float
             * @description Decay: time in which the level falls from full to within 1/1000 of the sustain level, ms,
             *     1..=20000.
             */
            decay_ms: number;
            /**
             * Format: float
             * @description Share of the output that goes to the delay, 0..=1.
             */
            delay_send: number;
            /**
             * Format: float
             * @description Detuning of a second oscillator, cents, 0..=50. At 0, and for noise, there is only one
             *     oscillator.
             */
            detune_cents: number;
            /**
             * Format: float
             * @description Shift of the filter cutoff at full envelope, octaves, -4..=4.
             */
            env_octaves: number;
            /** @description Kind of the filter. */
            filter: components["schemas"]["FilterMode"];
            /**
             * Format: float
             * @description Modulation index of the wave `fm` at full envelope, radians, 0..=8. The modulation follows
             *     the envelope, so a note becomes purer as it fades. High notes get less modulation, which
             *     avoids aliasing.
             */
            fm_index: number;
            /**
             * Format: float
             * @description Frequency of the modulator of the wave `fm`, as a multiple of the note's frequency,
             *     0.25..=12. Whole numbers sound harmonic, and other numbers sound like bells.
             */
            fm_ratio: number;
            /**
             * Format: float
             * @description Gain, dB, -60..=12.
             */
            gain_db: number;
            /**
             * Format: float
             * @description How closely the cutoff follows the pitch of the note, from 0 (not at all) to 1 (fully).
             */
            key_follow: number;
            /**
             * Format: float
             * @description Release: time until the level has fallen by 60 dB, ms, 5..=20000.
             */
            release_ms: number;
            /**
             * Format: float
             * @description Resonance of the filter, from 0 (Q 0.5) to 1 (Q 8).
             */
            resonance: number;
            /**
             * Format: float
             * @description Share of the output that goes to the reverb, 0..=1.
             */
            reverb_send: number;
            /**
             * Format: float
             * @description Sustain: level until the note is released, 0..=1.
             */
            sustain: number;
            /**
             * Format: float
             * @description Depth of the vibrato to either side, cents, 0..=100. At 0, there is no vibrato.
             */
            vibrato_cents: number;
            /**
             * Format: float
             * @description Rate of the vibrato, Hz, 0.1..=12. The rate varies slightly from note to note, as it does
             *     with singers.
             */
            vibrato_hz: number;
            /**
             * Format: float
             * @description Share of the sound that passes through the vowel filter, 0..=1. It applies to the dry sound
             *     and to the effect sends.
             */
            vowel_send: number;
            /** @description Waveform of the oscillators. */
            wave: components["schemas"]["Wave"];
            /**
             * Format: float
             * @description Width of the wave `pulse`, as a share of the period, 0.05..=0.5.
             */
            width: number;
        };
        /** @description The timbre of an instrument. When a note begins, its voice copies the patch. */
        PatchRequest: {
            /**
             * Format: float
             * @description Attack: time until the full level is reached, ms, 1..=10000.
             * @default 5
             */
            attack_ms: number;
            /**
             * Format: float
             * @description Cutoff or centre frequency of the filter, Hz, 40..=16000. It applies to middle C at neutral
             *     brightness, before the envelope opens the filter.
             * @default 2000
             */
            cutoff_hz: number;
            /**
             * Format: float
             * @description Decay: time in which the level falls from full to within 1/1000 of the sustain level, ms,
             *     1..=20000.
             * @default 200
             */
            decay_ms: number;
            /**
             * Format: float
             * @description Share of the output that goes to the delay, 0..=1.
             * @default 0
             */
            delay_send: number;
            /**
             * Format: float
             * @description Detuning of a second oscillator, cents, 0..=50. At 0, and for noise, there is only one
             *     oscillator.
             * @default 0
             */
            detune_cents: number;
            /**
             * Format: float
             * @description Shift of the filter cutoff at full envelope, octaves, -4..=4.
             * @default 0
             */
            env_octaves: number;
            /**
             * @description Kind of the filter.
             * @default low
             */
            filter: components["schemas"]["FilterMode"];
            /**
             * Format: float
             * @description Modulation index of the wave `fm` at full envelope, radians, 0..=8. The modulation follows
             *     the envelope, so a note becomes purer as it fades. High notes get less modulation, which
             *     avoids aliasing.
             * @default 1
             */
            fm_index: number;
            /**
             * Format: float
             * @description Frequency of the modulator of the wave `fm`, as a multiple of the note's frequency,
             *     0.25..=12. Whole numbers sound harmonic, and other numbers sound like bells.
             * @default 2
             */
            fm_ratio: number;
            /**
             * Format: float
             * @description Gain, dB, -60..=12.
             * @default -12
             */
            gain_db: number;
            /**
             * Format: float
             * @description How closely the cutoff follows the pitch of the note, from 0 (not at all) to 1 (fully).
             * @default 0.30000001192092896
             */
            key_follow: number;
            /**
             * Format: float
             * @description Release: time until the level has fallen by 60 dB, ms, 5..=20000.
             * @default 200
             */
            release_ms: number;
            /**
             * Format: float
             * @description Resonance of the filter, from 0 (Q 0.5) to 1 (Q 8).
             * @default 0.10000000149011612
             */
            resonance: number;
            /**
             * Format: float
             * @description Share of the output that goes to the reverb, 0..=1.
             * @default 0.20000000298023224
             */
            reverb_send: number;
            /**
             * Format: float
             * @description Sustain: level until the note is released, 0..=1.
             * @default 0.5
             */
            sustain: number;
            /**
             * Format: float
             * @description Depth of the vibrato to either side, cents, 0..=100. At 0, there is no vibrato.
             * @default 0
             */
            vibrato_cents: number;
            /**
             * Format: float
             * @description Rate of the vibrato, Hz, 0.1..=12. The rate varies slightly from note to note, as it does
             *     with singers.
             * @default 5.5
             */
            vibrato_hz: number;
            /**
             * Format: float
             * @description Share of the sound that passes through the vowel filter, 0..=1. It applies to the dry sound
             *     and to the effect sends.
             * @default 0
             */
            vowel_send: number;
            /**
             * @description Waveform of the oscillators.
             * @default sine
             */
            wave: components["schemas"]["Wave"];
            /**
             * Format: float
             * @description Width of the wave `pulse`, as a share of the period, 0.05..=0.5.
             * @default 0.5
             */
            width: number;
        };
        /**
         * @description The timbres. Every role has a timbre; a voice stream or the cues may also have one. An
         *     instrument without a timbre of its own uses the timbre of its role.
         */
        Patches: {
            /** @description The timbre of [`Role::Bass`]. */
            bass: components["schemas"]["Patch"];
            /** @description The timbre of [`Role::Chords`]. */
            chords: components["schemas"]["Patch"];
            /** @description The timbre of the cues. */
            cue?: components["schemas"]["Patch"] | null;
            /** @description The timbre of the voice that plays disk activity. */
            disk?: components["schemas"]["Patch"] | null;
            /** @description The timbre of the voice that plays kernel activity. */
            kernel?: components["schemas"]["Patch"] | null;
            /** @description The timbre of the voice that plays local traffic. */
            local?: components["schemas"]["Patch"] | null;
            /** @description The timbre of the voice that plays retransmits. */
            loss?: components["schemas"]["Patch"] | null;
            /** @description The timbre of [`Role::Melody`]. */
            melody: components["schemas"]["Patch"];
            /** @description The timbre of the voice that plays memory activity. */
            memory?: components["schemas"]["Patch"] | null;
            /** @description The timbre of [`Role::Percussion`]. */
            percussion: components["schemas"]["Patch"];
            /** @description The timbre of the voice that plays new processes. */
            process?: components["schemas"]["Patch"] | null;
            /** @description The timbre of the voice that plays received traffic. */
            receive?: components["schemas"]["Patch"] | null;
            /** @description The timbre of the voice that plays sent traffic. */
            send?: components["schemas"]["Patch"] | null;
        };
        /**
         * @description The timbres. Every role has a timbre; a voice stream or the cues may also have one. An
         *     instrument without a timbre of its own uses the timbre of its role.
         */
        PatchesRequest: {
            /** @description The timbre of [`Role::Bass`]. */
            bass: components["schemas"]["PatchRequest"];
            /** @description The timbre of [`Role::Chords`]. */
            chords: components["schemas"]["PatchRequest"];
            /** @description The timbre of the cues. */
            cue?: components["schemas"]["PatchRequest"] | null;
            /** @description The timbre of the voice that plays disk activity. */
            disk?: components["schemas"]["PatchRequest"] | null;
            /** @description The timbre of the voice that plays kernel activity. */
            kernel?: components["schemas"]["PatchRequest"] | null;
            /** @description The timbre of the voice that plays local traffic. */
            local?: components["schemas"]["PatchRequest"] | null;
            /** @description The timbre of the voice that plays retransmits. */
            loss?: components["schemas"]["PatchRequest"] | null;
            /** @description The timbre of [`Role::Melody`]. */
            melody: components["schemas"]["PatchRequest"];
            /** @description The timbre of the voice that plays memory activity. */
            memory?: components["schemas"]["PatchRequest"] | null;
            /** @description The timbre of [`Role::Percussion`]. */
            percussion: components["schemas"]["PatchRequest"];
            /** @description The timbre of the voice that plays new processes. */
            process?: components["schemas"]["PatchRequest"] | null;
            /** @description The timbre of the voice that plays received traffic. */
            receive?: components["schemas"]["PatchRequest"] | null;
            /** @description The timbre of the voice that plays sent traffic. */
            send?: components["schemas"]["PatchRequest"] | null;
        };
        /** @description Direction in which the feature moves when the signal grows. */
        Polarity: "up" | "down";
        /** @description A preset as written in files and in the API. */
        Preset: {
            /** @description Settings of the bed. */
            bed: components["schemas"]["BedSettings"];
            /** @description One sentence that describes the preset's sound. */
            hint: string;
            /** @description The preset's own mapping. Without this list, the standard mapping applies. */
            map?: components["schemas"]["Route"][] | null;
            /** @description Name of the preset, 1 to 64 characters. The characters a-z, 0-9, - and _ are allowed. */
            name: string;
            /** @description The timbres of all roles. Voices and cues may have timbres of their own. */
            patches: components["schemas"]["Patches"];
            /** @description Settings of the pulse, with one entry for each stream. At most 4 streams are allowed. */
            pulse: components["schemas"]["PulseSettings"][];
            /**
             * Format: float
             * @description Swing: the delay of every second step, as a share of a step.
             */
            swing: number;
            /**
             * Format: float
             * @description Gain of all notes, dB. With this gain, the beds of all presets have the same loudness.
             */
            trim_db: number;
            /** @description Settings of the voices. */
            voices: components["schemas"]["VoiceSettings"];
        };
        /** @description The answer of `POST /api/presets/check`. */
        PresetChecked: {
            /** @description Whether the preset is valid. */
            ok: boolean;
            /** @description The problems of the preset; empty for a valid preset. */
            problems: components["schemas"]["Problem"][];
        };
        /** @description A preset in the list of presets. */
        PresetInfo: {
            /** @description Whether the preset is built in. */
            builtin: boolean;
            /** @description Whether clients can change and delete the preset. */
            editable: boolean;
            /** @description Path of the preset's file; `null` for a built-in preset. */
            file: string | null;
            /** @description One sentence that describes the preset's sound. */
            hint: string;
            /** @description Name of the preset: 1 to 64 of the characters `a-z`, `0-9`, `-` and `_`. */
            name: string;
        };
        /** @description The available presets. */
        PresetList: {
            /** @description Name of the selected preset. */
            current: string;
            /** @description The presets, built-in ones first. */
            presets: components["schemas"]["PresetInfo"][];
            /** @description Name of the unsaved preset that plays as a preview; `null` if the selected preset plays. */
            previewing: string | null;
            /** @description The problems of the files in the user's preset folder, one line each. */
            problems: string[];
        };
        /** @description The unsaved preset that plays as a preview. */
        PresetPreview: {
            /** @description Name of the unsaved preset. */
            name: string;
            /** @description Always true. */
            ok: boolean;
            /** @description The keys of the preset, as in a preset's file. */
            preset: components["schemas"]["Preset"];
        };
        /** @description One preset with all its settings. */
        PresetReport: {
            /** @description Whether the preset is built in. */
            builtin: boolean;
            /** @description Path of the preset's file; `null` for a built-in preset. */
            file: string | null;
            /** @description One sentence that describes the preset's sound. */
            hint: string;
            /** @description Name of the preset. */
            name: string;
            /** @description Always true. */
            ok: boolean;
            /** @description The keys of the preset's file. The mapping (`map`) is always complete. */
            preset: components["schemas"]["Preset"];
        };
        /** @description A preset as written in files and in the API. */
        PresetRequest: {
            /** @description Settings of the bed. */
            bed: components["schemas"]["BedSettingsRequest"];
            /** @description One sentence that describes the preset's sound. */
            hint: string;
            /** @description The preset's own mapping. Without this list, the standard mapping applies. */
            map?: components["schemas"]["RouteRequest"][] | null;
            /** @description Name of the preset, 1 to 64 characters. The characters a-z, 0-9, - and _ are allowed. */
            name: string;
            /** @description The timbres of all roles. Voices and cues may have timbres of their own. */
            patches: components["schemas"]["PatchesRequest"];
            /**
             * @description Settings of the pulse, with one entry for each stream. At most 4 streams are allowed.
             * @default []
             */
            pulse: components["schemas"]["PulseSettingsRequest"][];
            /**
             * Format: float
             * @description Swing: the delay of every second step, as a share of a step.
             * @default 0
             */
            swing: number;
            /**
             * Format: float
             * @description Gain of all notes, dB. With this gain, the beds of all presets have the same loudness.
             */
            trim_db: number;
            /** @description Settings of the voices. */
            voices: components["schemas"]["VoiceSettings"];
        };
        /** @description The answer of `POST /api/preset/select`. */
        PresetSelected: {
            /** @description Always true. */
            ok: boolean;
            /** @description Name of the selected preset. */
            preset: string;
        };
        /** @description The user's presets. */
        PresetsReport: {
            /** @description Path of the folder with the user's presets. */
            folder: string;
            /** @description Whether all presets are valid and the preset in the settings exists. */
            ok: boolean;
            /** @description The problems of the presets, one line each. */
            problems: string[];
        };
        /** @description The scheduling priority of the audio thread. */
        Priority: {
            /** @description What does not work and why; `null` if everything works. */
            error: string | null;
            /** @description How to fix the error; `null` if there is no error, or if khor knows no fix. */
            fix: string | null;
            /** @description Which service granted real-time priority; `null` if the thread does not have it. */
            granted_by: components["schemas"]["Granter"] | null;
            /** @description Whether the thread has real-time priority. */
            real_time: boolean;
        };
        /** @description One counter of the kernel, and whether the source has it. */
        ProbeReport: {
            /** @description Whether the source has the counter. */
            available: boolean;
            /** @description Name of the counter, such as `execs`. */
            name: string;
            /** @description Why the counter is missing; `null` if it is available. */
            reason: string | null;
        };
        /** @description A problem in a preset. */
        Problem: {
            /** @description What is wrong, and which values are valid. */
            message: string;
            /**
             * @description Path of the invalid field, such as `bed.velocity`, `pulse[1].from` or `map[3].range`. It is
             *     empty if the problem concerns the whole preset.
             */
            path: string;
        };
        /** @description The settings of one stream of the pulse. */
        PulseSettings: {
            /**
             * Format: float
             * @description The stream plays when total work is above this value, 0..=0.9.
             */
            from: number;
            /**
             * Format: float
             * @description Length of the notes, steps, 0.1..=16.
             */
            gate_steps: number;
            /**
             * Format: uint8
             * @description Number of onsets per bar at full work and density 0.5, 1..=16.
             */
            max_onsets: number;
            /** @description How the stream chooses its pitches. */
            motion: components["schemas"]["Motion"];
            /**
             * Format: float
             * @description Pan, from -1 (left) to 1 (right).
             */
            pan: number;
            /** @description Register of the notes. */
            register: components["schemas"]["Register"];
            /** @description Role, which selects the timbre. */
            role: components["schemas"]["Role"];
            /**
             * Format: float
             * @description Velocity of the notes, 0..=1.
             */
            velocity: number;
        };
        /** @description The settings of one stream of the pulse. */
        PulseSettingsRequest: {
            /**
             * Format: float
             * @description The stream plays when total work is above this value, 0..=0.9.
             * @default 0
             */
            from: number;
            /**
             * Format: float
             * @description Length of the notes, steps, 0.1..=16.
             */
            gate_steps: number;
            /**
             * Format: uint8
             * @description Number of onsets per bar at full work and density 0.5, 1..=16.
             */
            max_onsets: number;
            /** @description How the stream chooses its pitches. */
            motion: components["schemas"]["Motion"];
            /**
             * Format: float
             * @description Pan, from -1 (left) to 1 (right).
             * @default 0
             */
            pan: number;
            /** @description Register of the notes. */
            register: components["schemas"]["Register"];
            /** @description Role, which selects the timbre. */
            role: components["schemas"]["Role"];
            /**
             * Format: float
             * @description Velocity of the notes, 0..=1.
             */
            velocity: number;
        };
        /** @description Hours in which khor mutes the sound device every day. MIDI and OSC output continue. */
        Quiet: {
            /** @description Mute the sound device in the quiet hours. */
            enabled: boolean;
            /** @description When the quiet hours begin, HH:MM in local time. */
            from: string;
            /**
             * @description When the quiet hours end, HH:MM in local time. If `to` is before `from`, they end on the
             *     next day.
             */
            to: string;
        };
        /** @description Hours in which khor mutes the sound device every day. MIDI and OSC output continue. */
        QuietRequest: {
            /**
             * @description Mute the sound device in the quiet hours.
             * @default false
             */
            enabled: boolean;
            /**
             * @description When the quiet hours begin, HH:MM in local time.
             * @default 22:00
             */
            from: string;
            /**
             * @description When the quiet hours end, HH:MM in local time. If `to` is before `from`, they end on the
             *     next day.
             * @default 07:00
             */
            to: string;
        };
        /** @description What levels are relative to: the host's own baseline or a fixed ceiling. */
        RangeMode: "adaptive" | "absolute";
        /** @description The OSC input. */
        ReceiveReport: {
            /** @description Whether the part is on in the settings. */
            enabled: boolean;
            /** @description What does not work and why; `null` if everything works. */
            error: string | null;
            /** @description How to fix the error; `null` if there is no error, or if khor knows no fix. */
            fix: string | null;
            /** @description Why khor rejected the last OSC packet or message; `null` if it rejected none. */
            last_refusal: string | null;
            /**
             * Format: uint64
             * @description Number of OSC messages that khor has received since the engine started.
             */
            messages: number;
            /** @description Whether the part works. False while the part is off, and until it has started. */
            ok: boolean;
            /**
             * Format: uint16
             * @description UDP port on which khor receives OSC.
             */
            port: number;
            /**
             * Format: uint64
             * @description Number of OSC packets and messages that khor has rejected since the engine started.
             */
            refused: number;
        };
        /** @description A recording in khor's folder for recordings. */
        RecordedFile: {
            /**
             * Format: uint64
             * @description Size of the file, bytes.
             */
            bytes: number;
            /** @description Name of the file, for `GET /api/recordings/{name}`. */
            name: string;
        };
        /** @description The recordings in khor's folder for recordings. */
        RecordingList: {
            /** @description Path of the folder. */
            folder: string;
            /** @description The recordings, oldest first. */
            recordings: components["schemas"]["RecordedFile"][];
        };
        /** @description The answer of `POST /api/recording/start`. */
        RecordingStarted: {
            /** @description Path of the recording's file. */
            file: string;
            /** @description Always true. */
            ok: boolean;
        };
        /** @description The current or last recording. */
        RecordingStatus: {
            /** @description What does not work and why; `null` if everything works. */
            error: string | null;
            /** @description Path of the recording's file; `null` if there was no recording since the engine started. */
            file: string | null;
            /** @description How to fix the error; `null` if there is no error, or if khor knows no fix. */
            fix: string | null;
            /**
             * Format: uint64
             * @description Number of blocks of sound that the recording lacks because the disk was too slow.
             */
            lost_blocks: number;
            /**
             * Format: double
             * @description Total length of the sound that the recording lacks, seconds. It includes the lost blocks,
             *     and sound that the recorder did not receive in time because the machine was busy.
             */
            lost_seconds: number;
            /** @description Whether a recording is running. */
            recording: boolean;
            /**
             * Format: double
             * @description Length of the recording so far, seconds.
             */
            seconds: number;
        };
        /** @description The answer of `POST /api/recording/stop`. */
        RecordingStopped: {
            /** @description Path of the recording's file. */
            file: string | null;
            /** @description Always true. */
            ok: boolean;
            /**
             * Format: double
             * @description Length of the recording, seconds.
             */
            seconds: number;
        };
        /**
         * @description Limits of the disk space for recordings. khor ends a recording cleanly when it reaches a
         *     limit.
         */
        Recordings: {
            /**
             * Format: uint32
             * @description Space that recordings leave free on the file system of the folder for recordings, MiB.
             *     Null means 1 GiB or a twentieth of the file system, whichever is less.
             */
            min_free_mib: number | null;
            /**
             * Format: uint32
             * @description Largest total size of the files in the folder for recordings, MiB. The default is enough
             *     for 80 hours of FLAC, or 20 hours of WAV at 48 kHz.
             */
            quota_mib: number;
        };
        /**
         * @description Limits of the disk space for recordings. khor ends a recording cleanly when it reaches a
         *     limit.
         */
        RecordingsRequest: {
            /**
             * Format: uint32
             * @description Space that recordings leave free on the file system of the folder for recordings, MiB.
             *     Null means 1 GiB or a twentieth of the file system, whichever is less.
             * @default null
             */
            min_free_mib: number | null;
            /**
             * Format: uint32
             * @description Largest total size of the files in the folder for recordings, MiB. The default is enough
             *     for 80 hours of FLAC, or 20 hours of WAV at 48 kHz.
             * @default 20480
             */
            quota_mib: number;
        };
        /** @description The answer to a request that was rejected. */
        Refusal: {
            /**
             * @description What is wrong with the request: the setting, field or parameter, its problem, and the
             *     allowed values.
             */
            error: string;
            /** @description Always false. */
            ok: boolean;
            /** @description All problems of a rejected preset. Other answers do not have this field. */
            problems?: components["schemas"]["Problem"][];
        };
        /** @description Number of messages that khor has rejected since it started, by reason. */
        RefusedMessages: {
            /**
             * Format: uint64
             * @description Messages of new hosts, sub-sites or relays that arrived when the maximum number of these had
             *     already been reached.
             */
            crowded: number;
            /**
             * Format: uint64
             * @description Messages of a relay that uses another relay's name.
             */
            duplicate: number;
            /**
             * Format: uint64
             * @description Cues that a host sent faster than its rate limit allows.
             */
            flooded: number;
            /**
             * Format: uint64
             * @description Messages that are not in khor's format.
             */
            foreign: number;
            /** @description Why khor rejected the last message; `null` if it rejected none. */
            last: string | null;
            /**
             * Format: uint64
             * @description Messages that arrived after a newer message.
             */
            late: number;
            /**
             * Format: uint64
             * @description Messages that are incomplete or contain impossible values.
             */
            malformed: number;
            /**
             * Format: uint64
             * @description Messages that a relay published under another host's NATS subject.
             */
            misdirected: number;
            /**
             * Format: uint64
             * @description Frames of a sub-site that itself has sub-sites. An aggregator accepts no sub-sites, so it
             *     counts the frames of every sub-site here.
             */
            nested: number;
            /**
             * Format: uint64
             * @description Messages that exceed the maximum length of a message.
             */
            oversized: number;
            /**
             * Format: uint64
             * @description Messages with an unknown major version of the protocol.
             */
            version: number;
        };
        /** @description A range of MIDI notes. It includes both ends. */
        Register: {
            /**
             * Format: uint8
             * @description Highest note, at most 96 and at least 11 semitones above the lowest note.
             */
            high: number;
            /**
             * Format: uint8
             * @description Lowest note, 36..=85.
             */
            low: number;
        };
        /** @description The musical role of a note. It selects the MIDI channel and the default timbre. */
        Role: "melody" | "bass" | "chords" | "percussion";
        /** @description A row of the mapping as it is written in a file. */
        Route: {
            /** @description The shape of the curve from the input to the feature; default `linear`. */
            curve: components["schemas"]["Curve"];
            /**
             * @description Input values between which the feature moves. The default is 0 to 1, or 1 to 6 octaves if
             *     the input is a deviation.
             */
            from?: [
                number,
                number
            ] | null;
            /**
             * @description Which value of the signal controls the feature: level, deviation or surprise. The default is
             *     `level`.
             */
            of: components["schemas"]["Of"];
            /** @description Direction in which the feature moves when the input grows; default `up`. */
            polarity: components["schemas"]["Polarity"];
            /** @description Lowest and highest value of the feature, in the feature's unit. */
            range: [
                number,
                number
            ];
            /** @description Name of a signal, or `work` for total work. */
            signal: string;
            /** @description Name of the feature that the row controls. */
            to: string;
        };
        /** @description A row of the mapping as it is written in a file. */
        RouteRequest: {
            /**
             * @description The shape of the curve from the input to the feature; default `linear`.
             * @default linear
             */
            curve: components["schemas"]["Curve"];
            /**
             * @description Input values between which the feature moves. The default is 0 to 1, or 1 to 6 octaves if
             *     the input is a deviation.
             */
            from?: [
                number,
                number
            ] | null;
            /**
             * @description Which value of the signal controls the feature: level, deviation or surprise. The default is
             *     `level`.
             * @default level
             */
            of: components["schemas"]["Of"];
            /**
             * @description Direction in which the feature moves when the input grows; default `up`.
             * @default up
             */
            polarity: components["schemas"]["Polarity"];
            /** @description Lowest and highest value of the feature, in the feature's unit. */
            range: [
                number,
                number
            ];
            /** @description Name of a signal, or `work` for total work. */
            signal: string;
            /** @description Name of the feature that the row controls. */
            to: string;
        };
        /**
         * @description A musical scale. Configuration files use the serialised names.
         * @enum {string}
         */
        Scale: "pentatonic_minor" | "pentatonic_major" | "natural_minor" | "harmonic_minor" | "major" | "dorian" | "phrygian" | "lydian" | "mixolydian" | "whole_tone" | "chromatic";
        /** @description The scope: the part of the machine whose activity khor plays. */
        ScopeReport: {
            /**
             * @description Paths of the cgroups in the scope. Empty for the whole machine, and while no source delivers
             *     counts.
             */
            cgroups: string[];
            /** @description What does not work and why; `null` if everything works. */
            error: string | null;
            /** @description How to fix the error; `null` if there is no error, or if khor knows no fix. */
            fix: string | null;
            /** @description Whether the scope is the whole machine. */
            is_machine: boolean;
            /** @description Whether khor can count the whole scope. */
            ok: boolean;
            /**
             * @description Name of the scope: a unit such as `nginx.service`, `process 4711`, `the whole machine`, or
             *     the single host of a site.
             */
            whose: string;
        };
        /** @description A section of the site that has its own pulse. */
        SectionReport: {
            /**
             * Format: uint
             * @description Number of hosts in the section.
             */
            hosts: number;
            /** @description Name of the section; `null` for the remaining sections, which share one pulse. */
            name: string | null;
            /**
             * Format: float
             * @description The section's position between the loudspeakers, -1 (left) to 1 (right).
             */
            pan: number;
            /** @description Lowest and highest note of the section, MIDI note numbers. */
            register: components["schemas"]["Register"];
            /** @description The timbre of the section's pulse. */
            timbre: components["schemas"]["Role"];
        };
        /** @description The current activity of the machine, in words. */
        SentenceReport: {
            /** @description One sentence, as in `GET /api/explain`. */
            sentence: string;
        };
        /** @description One signal or added lane, with its current values. */
        SignalReport: {
            /** @description Whether the source delivers the signal. */
            available: boolean;
            /**
             * Format: double
             * @description Usual rate, in `unit`; `null` if the signal is missing.
             */
            baseline: number | null;
            /**
             * Format: float
             * @description How many octaves `rate` is above `baseline`; `null` if the signal is missing. One octave is
             *     a doubling of 1 + rate ÷ grain, where the grain is the smallest significant difference. For
             *     a site, khor computes this value from the deviations of the hosts, and the music uses this
             *     value.
             */
            deviation: number | null;
            /** @description The signal's family. Signals of one family share a colour, a timbre and a register. */
            family: components["schemas"]["Family"];
            /** @description Display name of the signal, two or three words, such as `program starts`. */
            label: string;
            /**
             * Format: float
             * @description Level of the signal, 0 to 1; `null` if the signal is missing. The setting `signals.range`
             *     selects what the level is relative to: this machine's baseline, or a fixed ceiling.
             */
            level: number | null;
            /**
             * Format: double
             * @description Current rate, in `unit`; `null` if the signal is missing.
             */
            rate: number | null;
            /** @description Why the signal is missing; `null` if it is available. */
            reason: string | null;
            /**
             * Format: float
             * @description How sudden the last change of the signal was, 0 to 1; `null` if the signal is missing.
             */
            surprise: number | null;
            /**
             * @description Unit of `rate` and `baseline`: `1/s`, `B/s`, `s` (a mean time) or `ratio` (a share of time,
             *     0 to 1). An added lane may have another unit, or none.
             */
            unit: string;
        };
        /** @description How khor converts the rates of the signals to levels. */
        Signals: {
            /** @description Ceiling of this signal: the rate at which its level is 1, in the signal's unit. */
            ceilings: {
                [key: string]: number;
            };
            /**
             * @description What the level of a signal is relative to. `adaptive`: this machine's baseline.
             *     `absolute`: the signal's ceiling in `ceilings`.
             */
            range: components["schemas"]["RangeMode"];
        };
        /** @description How khor converts the rates of the signals to levels. */
        SignalsRequest: {
            /**
             * @description Ceiling of this signal: the rate at which its level is 1, in the signal's unit.
             * @default {
             *       "cpu": 1,
             *       "csw": 120000,
             *       "exec": 250,
             *       "fault": 500000,
             *       "fork": 500,
             *       "io": 80000000,
             *       "irq": 200000,
             *       "lat": 0.5,
             *       "local": 50000000,
             *       "mem": 1,
             *       "retx": 50,
             *       "rx": 50000000,
             *       "softirq": 200000,
             *       "stall": 1,
             *       "tx": 50000000
             *     }
             */
            ceilings: {
                [key: string]: number;
            };
            /**
             * @description What the level of a signal is relative to. `adaptive`: this machine's baseline.
             *     `absolute`: the signal's ceiling in `ceilings`.
             * @default adaptive
             */
            range: components["schemas"]["RangeMode"];
        };
        /** @description Why the sound device is muted. */
        SilenceReason: "muted" | "snoozed" | "quiet_hours";
        /** @description Why the sound device is muted, and until when. */
        SilenceReport: {
            /** @description The reason for the mute. If there are several reasons, this is the reason that ends last. */
            reason: components["schemas"]["SilenceReason"];
            /**
             * Format: uint64
             * @description When the mute ends by itself, milliseconds since 1970; `null` if only a client or the user
             *     can end the mute.
             */
            until: number | null;
        };
        /** @description The only host of a site that plays. khor plays it as if it were this machine. */
        SingleHostReport: {
            /** @description What does not work and why; `null` if everything works. */
            error: string | null;
            /** @description How to fix the error; `null` if there is no error, or if khor knows no fix. */
            fix: string | null;
            /** @description Name of the host. */
            host: string;
            /** @description Whether the host is playing now. */
            ok: boolean;
        };
        /** @description The site that khor plays instead of this machine. */
        Site: {
            /**
             * @description The only host of the site that khor plays, as if it were this machine. Null selects all
             *     hosts.
             */
            host: string | null;
            /** @description Which hosts of the site play. A change takes effect at the next bar line. */
            mode: components["schemas"]["SiteMode"];
            /** @description Name of the site that khor plays. Empty selects this machine. */
            name: string;
            /** @description The NATS server of the site. */
            nats: components["schemas"]["Nats"];
        };
        /**
         * @description How the hosts of a site share the music. In every mode, the voices represent the one or two
         *     hosts that deviate most.
         */
        SiteMode: "ensemble" | "sections" | "roll_call";
        /** @description The site that khor plays instead of this machine. */
        SiteRequest: {
            /**
             * @description The only host of the site that khor plays, as if it were this machine. Null selects all
             *     hosts.
             * @default null
             */
            host: string | null;
            /**
             * @description Which hosts of the site play. A change takes effect at the next bar line.
             * @default ensemble
             */
            mode: components["schemas"]["SiteMode"];
            /**
             * @description Name of the site that khor plays. Empty selects this machine.
             * @default
             */
            name: string;
            /**
             * @description The NATS server of the site.
             * @default {
             *       "creds": null,
             *       "nkey": null,
             *       "tls_ca": null,
             *       "tls_cert": null,
             *       "tls_key": null,
             *       "url": "nats://127.0.0.1:4222"
             *     }
             */
            nats: components["schemas"]["NatsRequest"];
        };
        /** @description The answer of `POST /api/actions/snooze`. */
        Snoozed: {
            /** @description Always true. */
            ok: boolean;
            /**
             * Format: uint64
             * @description When the snooze ends, milliseconds since 1970; `null` if the request ended the snooze.
             */
            snoozed_until_ts_ms: number | null;
        };
        /** @description A soloist: a host of a site whose voices play. */
        SoloReport: {
            /**
             * Format: float
             * @description How many octaves this signal's rate is above its baseline.
             */
            deviation: number;
            /** @description Name of the host. */
            host: string;
            /** @description Section of the host; `null` for a host without a section. */
            section: string | null;
            /** @description Name of the host's signal with the largest deviation. */
            signal: string;
        };
        /** @description The soloists: the one or two hosts of a site whose voices play. */
        SoloistList: {
            /** @description The soloists, the largest deviation first. Empty without a site. */
            soloists: components["schemas"]["SoloReport"][];
        };
        /** @description A part of the music that is playing, and the signals that cause it. */
        SoundPart: {
            /** @description Which signals cause this part of the music, in words. */
            because: string;
            /** @description Layer of the music: `bed`, `pulse` or `voice`. */
            layer: string;
            /** @description How this part of the music sounds, in words. */
            what: string;
        };
        /** @description The kind of a source. */
        SourceKind: "collector" | "proc" | "demo" | "capture" | "site";
        /** @description Where the counts come from. */
        SourceReport: {
            /** @description Description of the source, one line. */
            detail: string;
            /** @description What does not work and why; `null` if everything works. */
            error: string | null;
            /** @description How to fix the error; `null` if there is no error, or if khor knows no fix. */
            fix: string | null;
            /**
             * Format: uint16
             * @description Time between two samples of the source, milliseconds. The collector may grant a longer
             *     interval than the setting `bpf.sample_interval_ms` requests. `null` while no source delivers
             *     counts, and for a site, because each host has its own interval.
             */
            interval_ms: number | null;
            /** @description The kind of source; `null` while no source delivers counts. */
            kind: components["schemas"]["SourceKind"] | null;
            /**
             * @description Whether the source delivers counts. If this is true and `error` is not `null`, only some
             *     counts are missing.
             */
            ok: boolean;
        };
        /** @description A change of the engine's state. Clients must ignore events with an unknown `type`. */
        StreamEvent: (components["schemas"]["Greeting"] & {
            /** @constant */
            type: "greeting";
        }) | (components["schemas"]["HealthReport"] & {
            /** @constant */
            type: "health";
        }) | (components["schemas"]["ControlsReport"] & {
            /** @constant */
            type: "controls";
        }) | (components["schemas"]["LaneList"] & {
            /** @constant */
            type: "lanes";
        }) | (components["schemas"]["LaneValues"] & {
            /** @constant */
            type: "values";
        }) | (components["schemas"]["BarReport"] & {
            /** @constant */
            type: "bar";
        }) | (components["schemas"]["SoloistList"] & {
            /** @constant */
            type: "soloists";
        }) | (components["schemas"]["SentenceReport"] & {
            /** @constant */
            type: "sentence";
        }) | (components["schemas"]["ConfigVersion"] & {
            /** @constant */
            type: "config";
        }) | (components["schemas"]["CueList"] & {
            /** @constant */
            type: "cues";
        }) | (components["schemas"]["NoteList"] & {
            /** @constant */
            type: "notes";
        });
        /** @description A sub-site: a site within this site. Its aggregators send sums over its hosts. */
        SubSiteReport: {
            /**
             * Format: uint32
             * @description Number of aggregators that are sending the sums of the sub-site.
             */
            aggregators: number;
            /**
             * Format: uint32
             * @description Number of hosts of the sub-site that are sending messages.
             */
            live: number;
            /** @description Name of the sub-site. */
            name: string;
            /**
             * Format: uint64
             * @description Number of messages that the sub-site's aggregators rejected.
             */
            refused: number;
            /**
             * Format: double
             * @description Largest relative error of any value of the whole sub-site, 0 to 1.
             */
            relative_error: number;
            /**
             * Format: double
             * @description Largest relative error of any value of a section, 0 to 1; `null` if the sub-site has no
             *     sections.
             */
            section_relative_error: number | null;
            /**
             * Format: uint64
             * @description Age of the sub-site's last message, milliseconds.
             */
            seen_ms_ago: number;
            /**
             * Format: uint32
             * @description Number of hosts of the sub-site that have stopped sending messages.
             */
            silent: number;
            /** @description Whether the sub-site's aggregators are sending messages. */
            state: components["schemas"]["HostState"];
        };
        /** @description One target of the OSC output. */
        TargetHealth: {
            /** @description Why khor cannot send to the target; `null` if khor can, or has not tried yet. */
            error: string | null;
            /**
             * @description Whether khor can send to the target: the target's host name has an address, and the last
             *     send succeeded. UDP does not report whether a datagram arrives.
             */
            ok: boolean;
            /** @description The target, `host:port`. */
            target: string;
        };
        /** @description The time zone that the quiet hours use. */
        TimeReport: {
            /** @description What does not work and why; `null` if everything works. */
            error: string | null;
            /** @description How to fix the error; `null` if there is no error, or if khor knows no fix. */
            fix: string | null;
            /** @description Whether the requested time zone is valid. */
            ok: boolean;
            /**
             * @description Name of the time zone, from `TZ` or `/etc/localtime`. `UTC` if the requested zone is
             *     invalid.
             */
            zone: string;
        };
        /** @description The web page. */
        Ui: {
            /** @description Folder from which khor serves the page, instead of the page that is built into khor. */
            dir: string | null;
            /** @description Serve the web page. */
            serve: boolean;
        };
        /** @description The web page. */
        UiRequest: {
            /**
             * @description Folder from which khor serves the page, instead of the page that is built into khor.
             * @default null
             */
            dir: string | null;
            /**
             * @description Serve the web page.
             * @default true
             */
            serve: boolean;
        };
        /** @description The systemd units that can be selected as the scope. */
        UnitList: {
            /**
             * @description Names of the units that currently have a cgroup. Each name is a valid value of the setting
             *     `bpf.cgroup`.
             */
            units: string[];
        };
        /** @description The settings of the voices. */
        VoiceSettings: {
            /**
             * Format: float
             * @description Factor by which note lengths are multiplied, 0.1..=4. It applies to the stream's own note
             *     length and to the mapping's.
             */
            gate: number;
            /**
             * Format: float
             * @description Factor by which the mapping's onsets per bar are multiplied, 0.25..=2.
             */
            pace: number;
            /**
             * Format: float
             * @description Mean time between the single notes that an idle host plays, seconds, 5..=120.
             */
            rare_s: number;
            /**
             * Format: float
             * @description Velocity of the notes, 0..=1.
             */
            velocity: number;
        };
        /** @description Waveform of a patch's oscillator. */
        Wave: ("sine" | "triangle" | "saw" | "pulse") | "noise" | "fm";
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
