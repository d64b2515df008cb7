// The types of the API. Generated from docs/openapi.json by `cargo xtask api`: do not edit.

export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description The sound device. */
        Audio: {
            /**
             * @description Sound server: `pulseaudio`, `alsa`, or empty for the first that answers.
             * @enum {string}
             */
            backend: "" | "pulseaudio" | "alsa";
            /** @description Sound device: `id:…` as listed by `khor devices`, or empty for the default device. */
            device: string;
            /**
             * Format: int8
             * @description Loudness of an idle machine's music at volume 0.5, LUFS.
             * @enum {integer}
             */
            loudness_lufs: -23 | -18 | -16;
            /**
             * Format: float
             * @description Volume of the sound device and of recordings.
             */
            master_gain: number;
            /**
             * Format: uint32
             * @description Sample rate that khor requests, hertz. The device may use another.
             */
            sample_rate: number;
        };
        /** @description The sound device. */
        AudioReport: {
            /** @description How khor reaches the device: `pulseaudio`, `alsa` and the like; `null` while none is open. */
            backend: string | null;
            /**
             * Format: float
             * @description Time that the synth needs for a block, as a share of the block's length. Above 1, the synth
             *     is too slow.
             */
            callback_load: number;
            /** @description The device's name for people; `null` while none is open. */
            device: string | null;
            /**
             * Format: uint64
             * @description Notes that were dropped since the engine started: notes for which the synth had no voice,
             *     and notes that were too late for every output.
             */
            dropped_notes: number;
            /** @description Whether the settings switch it on. */
            enabled: boolean;
            /** @description What is wrong; `null` without trouble. */
            error: string | null;
            /** @description What to do about it; `null` without trouble, or if khor knows no fix. */
            fix: string | null;
            /**
             * Format: float
             * @description Time from a note's onset to its sound, as the backend reports it, milliseconds; `null` while
             *     nothing plays.
             */
            latency_ms: number | null;
            /**
             * @description Whether the device is silent, for any reason. `controls.silence` of the metrics has the
             *     reason.
             */
            muted: boolean;
            /** @description Whether it works. False while it is off, and until it has started. */
            ok: boolean;
            /**
             * Format: float
             * @description Highest recent sample, 0 to 1.
             */
            peak: number;
            /** @description The priority of the thread that plays; `null` until the system has answered. */
            priority: components["schemas"]["Priority"] | null;
            /**
             * Format: uint32
             * @description How often khor reopened the sound device since the engine started.
             */
            restarts: number;
            /**
             * Format: uint32
             * @description Frames per second; `null` while no device is open.
             */
            sample_rate_hz: number | null;
            /**
             * Format: uint32
             * @description Largest number of voices at once. It is below 24 while the processor is too slow for all
             *     voices.
             */
            voice_limit: number;
            /**
             * Format: uint32
             * @description Voices that sound now, 0 to `voice_limit`.
             */
            voices: number;
            /**
             * Format: uint64
             * @description Gaps in the sound that the backend reported since the engine started; `null` if the backend
             *     does not report gaps. Sound servers do not report gaps to khor.
             */
            xruns: number | null;
        };
        /** @description The sound device. */
        AudioRequest: {
            /**
             * @description Sound server: `pulseaudio`, `alsa`, or empty for the first that answers.
             * @default
             * @enum {string}
             */
            backend: "" | "pulseaudio" | "alsa";
            /**
             * @description Sound device: `id:…` as listed by `khor devices`, or empty for the default device.
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
             * @description Volume of the sound device and of recordings.
             * @default 0.5
             */
            master_gain: number;
            /**
             * Format: uint32
             * @description Sample rate that khor requests, hertz. The device may use another.
             * @default 48000
             */
            sample_rate: number;
        };
        /** @description The current bar of the music. */
        BarReport: {
            /**
             * Format: uint64
             * @description Number of the bar since the music began.
             */
            bar: number;
            /**
             * Format: uint64
             * @description When the bar began, milliseconds since 1970.
             */
            bar_ts_ms: number;
            /**
             * Format: double
             * @description Length of a step, milliseconds. A bar has 16 steps.
             */
            step_ms: number;
        };
        /** @description The learned baseline. */
        BaselineReport: {
            /** @description Whether learning is frozen. */
            frozen: boolean;
            /** @description Whether the baseline is still being learned; `null` without a reading. */
            learning: boolean | null;
            /**
             * Format: float
             * @description How much of the baseline is learned, 0 to 1; `null` without a reading.
             */
            learnt: number | null;
        };
        /** @description How the bed is played. */
        BedSettings: {
            /**
             * Format: float
             * @description Loudness of the bass note under the chord, 0..=1; 0 is none.
             */
            bass_velocity: number;
            /**
             * Format: float
             * @description Length of one breath of the pad, seconds, 1..=20; rounded to whole bars.
             */
            breath_s: number;
            /**
             * Format: uint8
             * @description Bars between harmony changes, 4..=8.
             */
            chord_bars: number;
            /**
             * Format: uint8
             * @description Chord notes played at once, 1..=4.
             */
            notes: number;
            /** @description Where the chord lies; at least two octaves less five semitones wide for smooth voice leading. */
            register: components["schemas"]["Register"];
            /** @description Roots as scale degrees, 1 to 64; the first is home. */
            roots: number[];
            /**
             * Format: float
             * @description Time between the chord's notes, steps, 0..=4.
             */
            strum_steps: number;
            /**
             * Format: float
             * @description Loudness of its notes, 0..=1.
             */
            velocity: number;
        };
        /** @description How the bed is played. */
        BedSettingsRequest: {
            /**
             * Format: float
             * @description Loudness of the bass note under the chord, 0..=1; 0 is none.
             */
            bass_velocity: number;
            /**
             * Format: float
             * @description Length of one breath of the pad, seconds, 1..=20; rounded to whole bars.
             */
            breath_s: number;
            /**
             * Format: uint8
             * @description Bars between harmony changes, 4..=8.
             */
            chord_bars: number;
            /**
             * Format: uint8
             * @description Chord notes played at once, 1..=4.
             */
            notes: number;
            /** @description Where the chord lies; at least two octaves less five semitones wide for smooth voice leading. */
            register: components["schemas"]["Register"];
            /** @description Roots as scale degrees, 1 to 64; the first is home. */
            roots: number[];
            /**
             * Format: float
             * @description Time between the chord's notes, steps, 0..=4.
             * @default 0
             */
            strum_steps: number;
            /**
             * Format: float
             * @description Loudness of its notes, 0..=1.
             */
            velocity: number;
        };
        /** @description The collector's programs in the kernel. */
        BpfReport: {
            /** @description Whether the settings switch it on. */
            enabled: boolean;
            /**
             * Format: int32
             * @description 0 without an error, else 1. Clients of the original khor read this field.
             */
            err_code: number;
            /** @description What is wrong; `null` without trouble. */
            error: string | null;
            /** @description What to do about it; `null` without trouble, or if khor knows no fix. */
            fix: string | null;
            /** @description Whether it works. False while it is off, and until it has started. */
            ok: boolean;
        };
        /** @description What this engine requests from the collector. */
        BpfSubscription: {
            /**
             * @description Play only this cgroup: a systemd unit (`nginx.service`), or a path from the root of the
             *     hierarchy that begins with a slash. Empty is the whole machine.
             */
            cgroup: string;
            /**
             * Format: uint32
             * @description The signals that khor plays, a sum of bits: 1 exec, 2 net, 4 sched, 8 block, 16 tcp, 32
             *     irq.
             */
            enabled_mask: number;
            /**
             * Format: uint16
             * @description Time between samples, milliseconds.
             */
            sample_interval_ms: number;
            /** @description Play these processes, in addition to `cgroup`. */
            tgid_allow: number[];
            /** @description Exclude these processes. */
            tgid_deny: number[];
        };
        /** @description What this engine requests from the collector. */
        BpfSubscriptionRequest: {
            /**
             * @description Play only this cgroup: a systemd unit (`nginx.service`), or a path from the root of the
             *     hierarchy that begins with a slash. Empty is the whole machine.
             * @default
             */
            cgroup: string;
            /**
             * Format: uint32
             * @description The signals that khor plays, a sum of bits: 1 exec, 2 net, 4 sched, 8 block, 16 tcp, 32
             *     irq.
             * @default 63
             */
            enabled_mask: number;
            /**
             * Format: uint16
             * @description Time between samples, milliseconds.
             * @default 20
             */
            sample_interval_ms: number;
            /**
             * @description Play these processes, in addition to `cgroup`.
             * @default []
             */
            tgid_allow: number[];
            /**
             * @description Exclude these processes.
             * @default []
             */
            tgid_deny: number[];
        };
        /** @description One check. */
        Check: {
            /** @description What was found. */
            detail: string;
            /** @description What to do about a problem; `null` without a problem. */
            fix: string | null;
            /** @description What was checked, one or two words, such as `collector`. */
            name: string;
            /** @description The result. */
            state: components["schemas"]["CheckState"];
        };
        /** @description The result of a check. */
        CheckState: "ok" | "problem" | "off";
        /** @description An example. */
        ClipInfo: {
            /** @description Path of the sound on this server. */
            file: string;
            /** @description How the scenario sounds, in words. */
            listen_for: string;
            /** @description Name of the scenario. */
            scenario: string;
            /**
             * Format: double
             * @description Length, seconds.
             */
            seconds: number;
            /** @description What the machine does, in words. */
            title: string;
        };
        /** @description Examples of the sounds of machines. */
        ClipList: {
            /** @description The examples. */
            clips: components["schemas"]["ClipInfo"][];
        };
        /**
         * @description All settings. Unknown keys stay in the file, with a warning. khor rejects a change with an
         *     unknown key.
         */
        Config: {
            /** @description The sound device. */
            audio: components["schemas"]["Audio"];
            /** @description What this engine requests from the collector. */
            bpf: components["schemas"]["BpfSubscription"];
            /** @description The session bus. */
            desktop: components["schemas"]["Desktop"];
            /** @description Which parts run. */
            features: components["schemas"]["Features"];
            /** @description Where the HTTP API listens. */
            listen: components["schemas"]["Listen"];
            /** @description MIDI output. */
            midi: components["schemas"]["Midi"];
            /** @description The music. */
            music: components["schemas"]["Music"];
            /** @description OSC output and input. */
            osc: components["schemas"]["Osc"];
            /** @description Hours in which the sound device is muted. */
            quiet: components["schemas"]["Quiet"];
            /** @description Limits of the disk space for recordings. */
            recordings: components["schemas"]["Recordings"];
            /** @description How rates become levels. */
            signals: components["schemas"]["Signals"];
            /** @description The site that khor plays instead of this machine. */
            site: components["schemas"]["Site"];
            /** @description The web page. */
            ui: components["schemas"]["Ui"];
            /**
             * Format: uint32
             * @description Version of this format.
             */
            version: number;
        };
        /** @description The whole configuration after a change. `C` is the configuration. */
        ConfigChanged: {
            /** @description The sound device. */
            audio: components["schemas"]["Audio"];
            /** @description What this engine requests from the collector. */
            bpf: components["schemas"]["BpfSubscription"];
            /** @description The session bus. */
            desktop: components["schemas"]["Desktop"];
            /** @description Which parts run. */
            features: components["schemas"]["Features"];
            /** @description Where the HTTP API listens. */
            listen: components["schemas"]["Listen"];
            /** @description MIDI output. */
            midi: components["schemas"]["Midi"];
            /** @description The music. */
            music: components["schemas"]["Music"];
            /**
             * @description Why khor could not write the change to the file; `null` if it did. A change that was not
             *     written lasts until the engine ends.
             */
            not_saved: string | null;
            /** @description Always true. */
            ok: boolean;
            /** @description OSC output and input. */
            osc: components["schemas"]["Osc"];
            /** @description Hours in which the sound device is muted. */
            quiet: components["schemas"]["Quiet"];
            /** @description Limits of the disk space for recordings. */
            recordings: components["schemas"]["Recordings"];
            /** @description Whether a changed key takes effect only after a restart. */
            restart_required: boolean;
            /** @description How rates become levels. */
            signals: components["schemas"]["Signals"];
            /** @description The site that khor plays instead of this machine. */
            site: components["schemas"]["Site"];
            /** @description The web page. */
            ui: components["schemas"]["Ui"];
            /**
             * Format: uint32
             * @description Version of this format.
             */
            version: number;
        };
        /** @description The configuration file. */
        ConfigReport: {
            /** @description Always `null`; problems are in `warnings`. */
            error: string | null;
            /** @description Whether the file is valid. */
            ok: boolean;
            /** @description What is wrong in the file, one line each. */
            warnings: string[];
        };
        /**
         * @description All settings. Unknown keys stay in the file, with a warning. khor rejects a change with an
         *     unknown key.
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
             * @description What this engine requests from the collector.
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
             * @description The session bus.
             * @default {
             *       "bus": false,
             *       "mpris": false,
             *       "notifications": false
             *     }
             */
            desktop: components["schemas"]["DesktopRequest"];
            /**
             * @description Which parts run.
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
             * @description Where the HTTP API listens.
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
             * @description Hours in which the sound device is muted.
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
             * @description How rates become levels.
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
             * @description Version of this format.
             * @default 1
             */
            version: number;
        };
        /** @description A version of the configuration. */
        ConfigVersion: {
            /** @description The tag of `GET /api/config`, without quotes. */
            tag: string;
        };
        /** @description The current controls: the music, the volume, and whether the sound device is silent. */
        ControlsReport: {
            /**
             * Format: float
             * @description Tempo, beats per minute.
             */
            bpm: number;
            /**
             * Format: float
             * @description How many notes play, 0 to 1.
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
            /** @description Whether the sound device is silent, for any reason. */
            muted: boolean;
            /** @description Name of the current preset. */
            preset: string;
            /**
             * Format: uint64
             * @description When the current quiet hours end, milliseconds since 1970; `null` outside quiet hours.
             */
            quiet_until_ts_ms: number | null;
            /** @description The scale of all notes. */
            scale: components["schemas"]["Scale"];
            /** @description Why the sound device is silent; `null` if it is not. */
            silence: components["schemas"]["SilenceReport"] | null;
            /**
             * Format: float
             * @description How slowly the music follows the signals, 0 to 1.
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
             * @description The cues since the previous event, oldest first. After a greeting, the newest cues, at most
             *     64.
             */
            cues: components["schemas"]["CueReport"][];
        };
        /** @description A cue: a single event of the kernel, such as a crash. */
        CueReport: {
            /** @description Name of the process; `null` if it is unknown. */
            comm: string | null;
            /**
             * Format: uint32
             * @description A number whose meaning depends on the kind, such as the signal that ended a process; `null`
             *     if there is none.
             */
            detail: number | null;
            /** @description The host of a site where it happened; `null` for this machine. */
            host: string | null;
            /**
             * @description What happened, such as `crash`, `oom`, `exec` or `retx`. For a site also `lost`, when a host
             *     stops sending, and `found`, when it sends again.
             */
            kind: string;
            /**
             * Format: uint32
             * @description Process id; `null` if it is unknown.
             */
            pid: number | null;
            /**
             * Format: uint64
             * @description Number of the cue since the engine started, from 1.
             */
            seq: number;
            /**
             * Format: uint64
             * @description When the cue arrived, milliseconds since 1970.
             */
            ts_ms: number;
        };
        /** @description Shape of the way from input to feature. */
        Curve: "linear" | "square" | "root";
        /** @description What khor offers on the session bus. */
        Desktop: {
            /** @description Offer `org.khor.Engine` on the session bus, for scripts and desktop tools. */
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
        /** @description khor's parts on the session bus, together and one by one. */
        DesktopReport: {
            /** @description The D-Bus service `org.khor.Engine`. */
            bus: components["schemas"]["Health"];
            /** @description Whether the settings switch it on. */
            enabled: boolean;
            /** @description What is wrong; `null` without trouble. */
            error: string | null;
            /** @description What to do about it; `null` without trouble, or if khor knows no fix. */
            fix: string | null;
            /** @description The media player (MPRIS) for desktops and media keys. */
            mpris: components["schemas"]["Health"];
            /** @description Desktop notifications. */
            notifications: components["schemas"]["Health"];
            /** @description Whether it works. False while it is off, and until it has started. */
            ok: boolean;
        };
        /** @description What khor offers on the session bus. */
        DesktopRequest: {
            /**
             * @description Offer `org.khor.Engine` on the session bus, for scripts and desktop tools.
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
        /** @description A signal that stands out. */
        DeviatingSignal: {
            /**
             * Format: float
             * @description How far the rate is above the usual rate, octaves.
             */
            deviation: number;
            /** @description Two or three plain words, such as `received`. */
            label: string;
            /**
             * Format: float
             * @description The signal's level, 0 to 1.
             */
            level: number;
            /** @description The usual rate with its unit. */
            ordinary: string;
            /** @description The rate with its unit, such as `24.1 MB/s`. */
            rate: string;
            /** @description Name of the signal. */
            signal: string;
            /**
             * Format: double
             * @description The rate divided by the usual rate; `null` if the usual rate is 0, and for all hosts of a
             *     site together.
             */
            times: number | null;
        };
        /** @description An output device. */
        DeviceInfo: {
            /** @description Stable name for the configuration and the API: `id:<backend>:<device>`. */
            id: string;
            /** @description Whether khor uses it when no device is selected. */
            is_default: boolean;
            /** @description Name to show to users. */
            name: string;
        };
        /** @description The sound devices. */
        DeviceList: {
            /** @description The devices. */
            devices: components["schemas"]["DeviceInfo"][];
        };
        /** @description A sound device was selected. */
        DeviceSelected: {
            /** @description The selected device, `id:…`; empty for the default device. */
            device: string;
            /** @description Always true. */
            ok: boolean;
        };
        /** @description The body of `POST /api/audio/device`. */
        DeviceSelectionRequest: {
            /** @description `id:…` as listed. Empty or `default` selects the default device. */
            device: string;
        };
        /** @description The result of all checks. */
        Diagnosis: {
            /** @description The checks, in the order from the kernel to the loudspeaker. */
            checks: components["schemas"]["Check"][];
            /** @description Whether there is no problem. */
            ok: boolean;
        };
        /** @description The request was carried out. */
        Done: {
            /** @description Always true. */
            ok: boolean;
        };
        /** @description The data of one event. */
        EventData: components["schemas"]["MetricsReport2"] | components["schemas"]["StreamEvent"];
        /** @description What plays and why, in words. */
        Explanation: {
            /** @description The parts of the music. */
            heard: components["schemas"]["SoundPart"][];
            /** @description One sentence about the current activity. */
            sentence: string;
            /** @description The signals that stand out, the largest deviation first, at most five. */
            standing_out: components["schemas"]["DeviatingSignal"][];
            /** @description The whole explanation as text of at most 80 columns. `khor explain` prints it. */
            text: string;
        };
        /** @description Lanes that belong together: one colour on the page, one timbre and register in the music. */
        Family: "process" | "network" | "disk" | "memory" | "kernel";
        /** @description A feature of the music that an input can move. */
        FeatureInfo: {
            /**
             * Format: float
             * @description Smallest difference that a listener can hear.
             */
            audible_step: number;
            /**
             * Format: float
             * @description Highest value.
             */
            high: number;
            /** @description `bed`, `pulse`, `voices` or `room`. */
            layer: string;
            /**
             * Format: float
             * @description Lowest value.
             */
            low: number;
            /** @description What changes in the sound, in words. */
            meaning: string;
            /** @description Name in the mapping, such as `bed.brightness`. */
            name: string;
            /** @description Unit of `low`, `high` and `audible_step`. */
            unit: string;
        };
        /** @description Which parts run. */
        Features: {
            /** @description Play on a sound device. */
            audio: boolean;
            /** @description Use the collector. Without it, khor reads only `/proc`. */
            bpf: boolean;
            /** @description Play the synthetic demo source instead of this machine. */
            fake: boolean;
            /** @description Send MIDI. */
            midi: boolean;
            /** @description Send OSC. */
            osc: boolean;
        };
        /** @description Features that are on. */
        FeaturesReport: {
            /** @description Whether the synthetic demo is selected. */
            fake: boolean;
        };
        /** @description Which parts run. */
        FeaturesRequest: {
            /**
             * @description Play on a sound device.
             * @default true
             */
            audio: boolean;
            /**
             * @description Use the collector. Without it, khor reads only `/proc`.
             * @default true
             */
            bpf: boolean;
            /**
             * @description Play the synthetic demo source instead of this machine.
             * @default false
             */
            fake: boolean;
            /**
             * @description Send MIDI.
             * @default false
             */
            midi: boolean;
            /**
             * @description Send OSC.
             * @default false
             */
            osc: boolean;
        };
        /** @description What a patch's filter lets through. */
        FilterMode: "low" | "band" | "high";
        /** @description The hosts of the current site. */
        FleetReport: {
            /** @description The single host that plays as if it were this machine; `null` if all hosts play. */
            alone: components["schemas"]["SingleHostReport"] | null;
            /** @description What is wrong; `null` without trouble. */
            error: string | null;
            /** @description What to do about it; `null` without trouble, or if khor knows no fix. */
            fix: string | null;
            /**
             * @description The hosts, the largest deviation first, silent hosts last. For sites within the site, the
             *     list has only the hosts that stand out.
             */
            hosts: components["schemas"]["HostReport"][];
            /**
             * Format: uint32
             * @description Number of hosts that send, including hosts of the sites within the site.
             */
            live: number;
            /** @description Which hosts of the site play: the setting `site.mode`. */
            mode: components["schemas"]["SiteMode"];
            /** @description Whether the site's messages arrive. */
            ok: boolean;
            /** @description Messages that were rejected. */
            refused: components["schemas"]["RefusedMessages"];
            /** @description Why khor cannot play `mode` exactly as requested; `null` if it can. */
            remark: string | null;
            /** @description Sections that have a pulse of their own. */
            sections: components["schemas"]["SectionReport"][];
            /**
             * Format: uint32
             * @description Number of hosts that have stopped sending, including hosts of the sites within the site.
             */
            silent: number;
            /** @description Name of the site; `null` if no site is the source. */
            site: string | null;
            /** @description Sites within the site, by name. */
            sites: components["schemas"]["SubSiteReport"][];
            /** @description Names of the one or two hosts that have the voices, the largest deviation first. */
            soloists: string[];
            /**
             * Format: uint
             * @description Turns of the roll call; 0 in other modes.
             */
            turns: number;
            /** @description Number of hosts by the version of their relay. */
            versions: {
                [key: string]: number;
            };
        };
        /** @description What granted real-time priority. */
        Granter: "limits" | "rtkit";
        /** @description The engine that sends the stream. */
        Greeting: {
            /**
             * Format: uint64
             * @description When the engine started, milliseconds since 1970. After a restart, notes and cues are
             *     numbered from 1 again.
             */
            started_ts_ms: number;
            /** @description Version of the engine. */
            version: string;
        };
        /** @description Whether a part is on, and whether it works. */
        Health: {
            /** @description Whether the settings switch it on. */
            enabled: boolean;
            /** @description What is wrong; `null` without trouble. */
            error: string | null;
            /** @description What to do about it; `null` without trouble, or if khor knows no fix. */
            fix: string | null;
            /** @description Whether it works. False while it is off, and until it has started. */
            ok: boolean;
        };
        /** @description The state of every part of the engine. */
        HealthReport: {
            /** @description The sound device. */
            audio: components["schemas"]["AudioReport"];
            /** @description The learned baseline. */
            baseline: components["schemas"]["BaselineReport"];
            /** @description The collector's programs in the kernel. */
            bpf: components["schemas"]["BpfReport"];
            /** @description The configuration file. */
            config: components["schemas"]["ConfigReport"];
            /** @description Path of the configuration file. */
            config_path: string;
            /** @description khor's parts on the session bus. */
            desktop: components["schemas"]["DesktopReport"];
            /** @description Features that are on. */
            features: components["schemas"]["FeaturesReport"];
            /** @description The machine on which the engine runs. */
            host: components["schemas"]["MachineReport"];
            /** @description Remote listeners. */
            listen: components["schemas"]["ListenReport"];
            /** @description The MIDI output. */
            midi: components["schemas"]["MidiReport"];
            /** @description Events that the collector's programs missed. */
            missed: components["schemas"]["MissedReport"];
            /** @description The OSC output and input. */
            osc: components["schemas"]["OscReport"];
            /** @description The user's presets. */
            presets: components["schemas"]["PresetsReport"];
            /**
             * @description The counters of the kernel, each with whether the source has it. Empty for a site and while
             *     no source delivers.
             */
            probes: components["schemas"]["ProbeReport"][];
            /** @description The current or last recording. */
            recording: components["schemas"]["RecordingStatus"];
            /** @description The part of the machine that is counted: the scope. */
            scope: components["schemas"]["ScopeReport"];
            /** @description Where the counts come from. */
            source: components["schemas"]["SourceReport"];
            /** @description The time zone of the quiet hours. */
            time: components["schemas"]["TimeReport"];
            /**
             * Format: uint64
             * @description When this was written, milliseconds since 1970.
             */
            ts_ms: number;
            /** @description Version of the engine. */
            version: string;
        };
        /**
         * @description The rates of the last two minutes, 5 points a second, oldest first, and the newest notes. Each
         *     signal has one list, so the answer is much smaller than the history in `GET /api/metrics`.
         */
        HistoryColumns: {
            /** @description The newest notes, at most 512, oldest first. */
            notes: components["schemas"]["NoteReport"][];
            /**
             * @description The rates of each signal in its unit, one for each point, rounded to four digits; `null` if
             *     the signal was missing.
             */
            rates: {
                [key: string]: (number | null)[];
            };
            /** @description The times of the points, milliseconds since 1970. */
            ts_ms: number[];
        };
        /** @description A point of the history. */
        HistoryPoint: {
            /**
             * Format: double
             * @description Kilobytes (1000 bytes) that disks read per second.
             */
            blk_r_kbs: number | null;
            /**
             * Format: double
             * @description Kilobytes (1000 bytes) that disks wrote per second.
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
             * @description Interrupts of devices per second.
             */
            irq_s: number | null;
            /**
             * @description Level of each signal, 0 to 1; `null` if it was missing. Lanes that were added later are
             *     missing.
             */
            levels: {
                [key: string]: number | null;
            };
            /**
             * Format: double
             * @description Share of the time in which some task waited for memory, percent.
             */
            mem_pct: number | null;
            /** @description Rate of each signal in its unit; `null` if it was missing. */
            rates: {
                [key: string]: number | null;
            };
            /**
             * Format: double
             * @description TCP segments sent again, per second.
             */
            retx_s: number | null;
            /**
             * Format: double
             * @description Kilobytes (1000 bytes) received at the machine's edge per second: the rate of the signal
             *     `rx`.
             */
            rx_kbs: number | null;
            /**
             * Format: uint64
             * @description Time of the point, milliseconds since 1970.
             */
            ts_ms: number;
            /**
             * Format: double
             * @description Kilobytes (1000 bytes) sent at the machine's edge per second: the rate of the signal `tx`.
             */
            tx_kbs: number | null;
        };
        /** @description A point of the history. */
        HistoryPoint2: {
            /**
             * Format: double
             * @description Kilobytes (1000 bytes) that disks read per second.
             */
            blk_r_kbs: number | null;
            /**
             * Format: double
             * @description Kilobytes (1000 bytes) that disks wrote per second.
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
             * @description Interrupts of devices per second.
             */
            irq_s: number | null;
            /**
             * @description Level of each signal, 0 to 1; `null` if it was missing. Lanes that were added later are
             *     missing.
             */
            levels: {
                [key: string]: number | null;
            };
            /**
             * Format: double
             * @description Share of the time in which some task waited for memory, percent.
             */
            mem_pct: number | null;
            /** @description Rate of each signal in its unit; `null` if it was missing. */
            rates: {
                [key: string]: number | null;
            };
            /**
             * Format: double
             * @description TCP segments sent again, per second.
             */
            retx_s: number | null;
            /**
             * Format: double
             * @description Kilobytes (1000 bytes) received at the machine's edge per second: the rate of the signal
             *     `rx`.
             */
            rx_kbs: number | null;
            /**
             * Format: uint64
             * @description Time of the point, milliseconds since 1970.
             */
            ts_ms: number;
            /**
             * Format: double
             * @description Kilobytes (1000 bytes) sent at the machine's edge per second: the rate of the signal `tx`.
             */
            tx_kbs: number | null;
        };
        /** @description One host of the site. */
        HostReport: {
            /**
             * Format: int64
             * @description This machine's clock minus the host's clock, plus the travel time of the message,
             *     milliseconds.
             */
            clock_behind_ms: number;
            /** @description Whether the clocks differ by more than 2 s. */
            clock_off: boolean;
            /**
             * Format: float
             * @description Its largest deviation from its own baseline, octaves; `null` if the host is silent or has no
             *     signal.
             */
            deviation: number | null;
            /**
             * Format: uint64
             * @description Frames of the host that arrived too late.
             */
            late_frames: number;
            /**
             * Format: float
             * @description How much of its baseline is learned, 0 to 1.
             */
            learnt: number;
            /** @description Why khor drops an added lane of the host; `null` if it drops none. */
            left_out: string | null;
            /**
             * Format: uint64
             * @description Frames of the host that did not arrive.
             */
            missed_frames: number;
            /** @description Name of the host, unique within the site. */
            name: string;
            /** @description Why the last of these was rejected; `null` if none was. */
            refusal: string | null;
            /**
             * Format: uint64
             * @description Messages under the host's subject that were rejected.
             */
            refused_messages: number;
            /** @description Its section; `null` for a host without one. */
            section: string | null;
            /**
             * Format: uint64
             * @description Age of its last message, milliseconds.
             */
            seen_ms_ago: number;
            /** @description Name of the signal with this deviation; `null` if `deviation` is `null`. */
            signal: string | null;
            /** @description Where its counts come from: `collector`, `proc`, `demo` or `unknown`. */
            source: string;
            /** @description Whether the host sends. */
            state: components["schemas"]["HostState"];
            /** @description Whether two relays use the host's name. */
            used_twice: boolean;
            /** @description Version of its relay. */
            version: string;
            /** @description The site within the site that reported the host; `null` if its own relay did. */
            via: string | null;
        };
        /** @description Whether a host or a site sends. */
        HostState: "live" | "silent";
        /** @description An input of a mapping. */
        InputInfo: {
            /** @description Family of the signal; `null` for `work`, which is all signals together. */
            family: components["schemas"]["Family"] | null;
            /** @description Two or three plain words. */
            label: string;
            /** @description Name in the mapping. */
            name: string;
        };
        /** @description All lanes, in the order of the catalogue. */
        LaneList: {
            /** @description The lanes. The lists of an event `values` have the same order. */
            lanes: components["schemas"]["LaneReport"][];
        };
        /** @description The description of a lane. A lane is a signal of the kernel, or a value that a source adds. */
        LaneReport: {
            /** @description Whether the source has the lane. */
            available: boolean;
            /** @description The family: one colour, and one timbre and register. */
            family: components["schemas"]["Family"];
            /**
             * Format: double
             * @description The grain, in `unit`, greater than 0: a rate of one grain is one octave above 0. Differences
             *     below the grain are not significant.
             */
            grain: number;
            /** @description Two or three plain words, such as `program starts`. */
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
         * @description The values of all lanes, in the order of the event `lanes`, rounded to four digits. A missing
         *     value is `null`.
         */
        LaneValues: {
            /** @description Usual rates, each in the unit of its lane. */
            baseline: (number | null)[];
            /** @description How far the rates are above the baselines, octaves. */
            deviation: (number | null)[];
            /**
             * Format: double
             * @description Bytes that disks read, per second.
             */
            disk_read_bytes_s: number | null;
            /**
             * Format: double
             * @description Bytes that disks wrote, per second.
             */
            disk_written_bytes_s: number | null;
            /** @description Levels, 0 to 1. */
            level: (number | null)[];
            /** @description Rates, each in the unit of its lane. */
            rate: (number | null)[];
            /** @description How sudden the changes are, 0 to 1. */
            surprise: (number | null)[];
            /**
             * Format: uint64
             * @description When these values were read, milliseconds since 1970.
             */
            ts_ms: number;
        };
        /** @description Which of the layers a note belongs to; each has one job in telling what the machine does. */
        Layer: "bed" | "pulse" | "voices" | "cues";
        /** @description Where the HTTP API listens. */
        Listen: {
            /**
             * @description Other names under which clients reach the API, such as the name of a reverse proxy. Each
             *     is a name, `name:port`, or `http://name` for a page without TLS. Without a scheme, khor
             *     expects `https://`.
             */
            allowed_hosts: string[];
            /** @description An address of this machine. An address that other machines can reach needs a token. */
            host: string;
            /**
             * @description Serve every user of this machine, not only the engine's own user and root. Has no effect
             *     if there is a token.
             */
            local_users: boolean;
            /**
             * Format: uint16
             * @description TCP port.
             */
            port: number;
            /** @description A file with a token of at least 32 characters. Every client then needs the token. */
            token_file: string | null;
        };
        /** @description Remote listeners. */
        ListenReport: {
            /**
             * Format: uint
             * @description Largest number of listeners at once.
             */
            at_most: number;
            /**
             * Format: uint
             * @description Listeners that are connected now. A running recording counts as one.
             */
            listeners: number;
        };
        /** @description Where the HTTP API listens. */
        ListenRequest: {
            /**
             * @description Other names under which clients reach the API, such as the name of a reverse proxy. Each
             *     is a name, `name:port`, or `http://name` for a page without TLS. Without a scheme, khor
             *     expects `https://`.
             * @default []
             */
            allowed_hosts: string[];
            /**
             * @description An address of this machine. An address that other machines can reach needs a token.
             * @default 127.0.0.1
             */
            host: string;
            /**
             * @description Serve every user of this machine, not only the engine's own user and root. Has no effect
             *     if there is a token.
             * @default false
             */
            local_users: boolean;
            /**
             * Format: uint16
             * @description TCP port.
             * @default 17321
             */
            port: number;
            /**
             * @description A file with a token of at least 32 characters. Every client then needs the token.
             * @default null
             */
            token_file: string | null;
        };
        /** @description The body of `POST /api/login`. */
        LoginRequest: {
            /**
             * @description The path of the cookie, such as `/khor/` if a proxy serves the page there. Without it, the
             *     cookie is for all paths.
             */
            path?: string | null;
            /** @description The token in the file that the setting `listen.token_file` names. */
            token: string;
        };
        /** @description The machine on which the engine runs. */
        MachineReport: {
            /**
             * Format: uint
             * @description CPUs that the engine may use.
             */
            cpus: number;
            /** @description The kernel's release, such as `6.18.0`. */
            kernel: string;
            /** @description The host name. */
            name: string;
        };
        /** @description The words that a preset's mapping may use. */
        MappingVocabulary: {
            /** @description The curves from an input to a feature. */
            curves: components["schemas"]["Curve"][];
            /** @description The features of the music that an input can move. */
            features: components["schemas"]["FeatureInfo"][];
            /** @description The inputs: every signal, and `work`. */
            inputs: components["schemas"]["InputInfo"][];
            /** @description The values of an input that can move a feature. */
            of: components["schemas"]["Of"][];
            /** @description The directions in which an input can move a feature. */
            polarities: components["schemas"]["Polarity"][];
        };
        /**
         * @description Rates, signals, controls, notes and cues. The event stream sends it too, without `history`.
         *
         *     `P` is a point of the history. The server uses a type that caches the JSON of the point.
         */
        MetricsReport: {
            /** @description The current controls. */
            controls: components["schemas"]["ControlsReport"];
            /**
             * @description The newest cues, at most 64, oldest first. An event has only the cues since the previous
             *     event. If there are more cues, khor drops the oldest cue of the host with the most cues.
             */
            cues: components["schemas"]["CueReport"][];
            /** @description The last two minutes at 5 points a second, oldest first. Events have no history. */
            history?: components["schemas"]["HistoryPoint"][] | null;
            /** @description The position of the music; `null` until the music begins. */
            music: components["schemas"]["MusicReport"] | null;
            /**
             * @description The newest notes, at most 512, oldest first. An event has only the notes since the previous
             *     event.
             */
            notes: components["schemas"]["NoteReport"][];
            /** @description Rates of the original khor. All are `null` for a site. */
            rates: components["schemas"]["OriginalRates"];
            /**
             * @description The signals by name, in the order of the catalogue: the kernel's signals, then added lanes.
             *     For a site, the signals of all its hosts together.
             */
            signals: {
                [key: string]: components["schemas"]["SignalReport"];
            };
            /**
             * @description The one or two hosts of a site that have the voices, the largest deviation first. Empty
             *     without a site.
             */
            soloists: components["schemas"]["SoloReport"][];
            /** @description Totals of the original khor. */
            totals: components["schemas"]["OriginalTotals"];
            /**
             * Format: uint64
             * @description When this was written, milliseconds since 1970.
             */
            ts_ms: number;
        };
        /**
         * @description Rates, signals, controls, notes and cues. The event stream sends it too, without `history`.
         *
         *     `P` is a point of the history. The server uses a type that caches the JSON of the point.
         */
        MetricsReport2: {
            /** @description The current controls. */
            controls: components["schemas"]["ControlsReport"];
            /**
             * @description The newest cues, at most 64, oldest first. An event has only the cues since the previous
             *     event. If there are more cues, khor drops the oldest cue of the host with the most cues.
             */
            cues: components["schemas"]["CueReport"][];
            /** @description The last two minutes at 5 points a second, oldest first. Events have no history. */
            history?: components["schemas"]["HistoryPoint2"][] | null;
            /** @description The position of the music; `null` until the music begins. */
            music: components["schemas"]["MusicReport"] | null;
            /**
             * @description The newest notes, at most 512, oldest first. An event has only the notes since the previous
             *     event.
             */
            notes: components["schemas"]["NoteReport"][];
            /** @description Rates of the original khor. All are `null` for a site. */
            rates: components["schemas"]["OriginalRates"];
            /**
             * @description The signals by name, in the order of the catalogue: the kernel's signals, then added lanes.
             *     For a site, the signals of all its hosts together.
             */
            signals: {
                [key: string]: components["schemas"]["SignalReport"];
            };
            /**
             * @description The one or two hosts of a site that have the voices, the largest deviation first. Empty
             *     without a site.
             */
            soloists: components["schemas"]["SoloReport"][];
            /** @description Totals of the original khor. */
            totals: components["schemas"]["OriginalTotals"];
            /**
             * Format: uint64
             * @description When this was written, milliseconds since 1970.
             */
            ts_ms: number;
        };
        /** @description MIDI output. */
        Midi: {
            /**
             * Format: uint8
             * @description Channel of the melody. The other roles have fixed channels.
             */
            channel: number;
            /** @description Send MIDI clock, start and stop: 24 clocks in a quarter note, from the next bar line on. */
            clock: boolean;
            /** @description Name of the ALSA sequencer port. */
            port: string;
        };
        /** @description The MIDI output. */
        MidiReport: {
            /**
             * Format: uint8
             * @description MIDI channel of the melody, 1 to 16.
             */
            channel: number;
            /** @description Whether the settings switch it on. */
            enabled: boolean;
            /** @description What is wrong; `null` without trouble. */
            error: string | null;
            /** @description What to do about it; `null` without trouble, or if khor knows no fix. */
            fix: string | null;
            /** @description Whether it works. False while it is off, and until it has started. */
            ok: boolean;
            /** @description Name of the sequencer port. */
            port: string;
        };
        /** @description MIDI output. */
        MidiRequest: {
            /**
             * Format: uint8
             * @description Channel of the melody. The other roles have fixed channels.
             * @default 1
             */
            channel: number;
            /**
             * @description Send MIDI clock, start and stop: 24 clocks in a quarter note, from the next bar line on.
             * @default false
             */
            clock: boolean;
            /**
             * @description Name of the ALSA sequencer port.
             * @default khor
             */
            port: string;
        };
        /** @description Events that the collector's programs missed since the engine started. */
        MissedReport: {
            /**
             * Format: uint64
             * @description Number of events; `null` without a collector.
             */
            events: number | null;
            /** @description Explanation; `null` if none were missed. */
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
             * @description How much of the work becomes notes.
             */
            density: number;
            /**
             * Format: uint8
             * @description Tonic, a MIDI note number. Most roles use only its pitch class.
             */
            key_midi: number;
            /** @description Name of the preset, built in or the user's own (`khor presets`). */
            preset: string;
            /** @description Scale of all pitches. */
            scale: components["schemas"]["Scale"];
            /**
             * Format: uint64
             * @description Seed of the random choices. The same seed and capture give the same music.
             */
            seed: number;
            /**
             * Format: float
             * @description How slowly the music follows the signals.
             */
            smoothing: number;
        };
        /** @description The position of the music. */
        MusicReport: {
            /**
             * Format: uint64
             * @description Number of the bar since the music began.
             */
            bar: number;
            /**
             * Format: uint64
             * @description When the bar began, milliseconds since 1970.
             */
            bar_ts_ms: number;
            /**
             * Format: uint8
             * @description The step within the bar, 0 to 15.
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
             * @description How much of the work becomes notes.
             * @default 0.5
             */
            density: number;
            /**
             * Format: uint8
             * @description Tonic, a MIDI note number. Most roles use only its pitch class.
             * @default 50
             */
            key_midi: number;
            /**
             * @description Name of the preset, built in or the user's own (`khor presets`).
             * @default ambient
             */
            preset: string;
            /**
             * @description Scale of all pitches.
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
             * @description How slowly the music follows the signals.
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
            /** @description A credentials file (JWT and seed), as NATS' own tools write it. */
            creds: string | null;
            /** @description A file with the seed of a user's `NKey`. */
            nkey: string | null;
            /**
             * @description A PEM file with the certificate of the authority that signed the server's certificate.
             *     Null means the authorities of the system.
             */
            tls_ca: string | null;
            /** @description A PEM file with this client's certificate, if the server requires one. */
            tls_cert: string | null;
            /** @description A PEM file with the key of this client's certificate. */
            tls_key: string | null;
            /** @description Address of the server: `nats://HOST:PORT`, or `tls://HOST:PORT`, which always uses TLS. */
            url: string;
        };
        /** @description A NATS server and the credentials for it. */
        NatsRequest: {
            /**
             * @description A credentials file (JWT and seed), as NATS' own tools write it.
             * @default null
             */
            creds: string | null;
            /**
             * @description A file with the seed of a user's `NKey`.
             * @default null
             */
            nkey: string | null;
            /**
             * @description A PEM file with the certificate of the authority that signed the server's certificate.
             *     Null means the authorities of the system.
             * @default null
             */
            tls_ca: string | null;
            /**
             * @description A PEM file with this client's certificate, if the server requires one.
             * @default null
             */
            tls_cert: string | null;
            /**
             * @description A PEM file with the key of this client's certificate.
             * @default null
             */
            tls_key: string | null;
            /**
             * @description Address of the server: `nats://HOST:PORT`, or `tls://HOST:PORT`, which always uses TLS.
             * @default nats://127.0.0.1:4222
             */
            url: string;
        };
        /** @description New notes. */
        NoteList: {
            /**
             * @description The notes since the previous event, oldest first. After a greeting, the newest notes, at
             *     most 64. `GET /api/history` has the notes before them.
             */
            notes: components["schemas"]["NoteReport"][];
        };
        /** @description A note that was sent to the outputs. */
        NoteReport: {
            /**
             * Format: uint8
             * @description Default MIDI channel of the timbre, 1 to 16. The setting `midi.channel` does not change it.
             */
            channel: number;
            /**
             * Format: float
             * @description Length, seconds.
             */
            duration_s: number;
            /** @description The layer of the music. */
            layer: components["schemas"]["Layer"];
            /**
             * Format: uint8
             * @description MIDI note number, 0 to 127.
             */
            midi: number;
            /** @description The timbre that plays it. */
            role: components["schemas"]["Role"];
            /**
             * Format: uint64
             * @description Number of the note since the engine started, from 1.
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
             * @description Loudness, 0 to 1.
             */
            velocity: number;
        };
        /**
         * @description Which of a signal's three numbers.
         * @enum {string}
         */
        Of: "level" | "deviation" | "surprise";
        /** @description Rates of the original khor. A rate is `null` if the source does not count it. */
        OriginalRates: {
            /**
             * Format: double
             * @description Kilobytes (1000 bytes) that disks read per second.
             */
            blk_r_kbs: number | null;
            /**
             * Format: double
             * @description Kilobytes (1000 bytes) that disks wrote per second.
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
             * @description Interrupts of devices per second.
             */
            irq_s: number | null;
            /**
             * Format: double
             * @description Share of the time in which some task waited for memory, percent.
             */
            mem_pct: number | null;
            /**
             * Format: double
             * @description TCP segments sent again, per second.
             */
            retx_s: number | null;
            /**
             * Format: double
             * @description Kilobytes (1000 bytes) received at the machine's edge per second: the rate of the signal
             *     `rx`.
             */
            rx_kbs: number | null;
            /**
             * Format: double
             * @description Kilobytes (1000 bytes) sent at the machine's edge per second: the rate of the signal `tx`.
             */
            tx_kbs: number | null;
        };
        /**
         * @description Totals of the original khor since the engine started, for the selected scope. They never fall or
         *     jump: when the source changes or restarts, each total continues from its last value. A total is
         *     `null` if the source does not count it.
         */
        OriginalTotals: {
            /**
             * Format: uint64
             * @description Bytes that disks read.
             */
            blk_read_bytes_total: number | null;
            /**
             * Format: uint64
             * @description Bytes that disks wrote.
             */
            blk_write_bytes_total: number | null;
            /**
             * Format: uint64
             * @description Cues that the kernel or the collector could not pass on. All other events are counted in the
             *     kernel.
             */
            events_dropped: number | null;
            /**
             * Format: uint64
             * @description Events that the kernel counted: program starts, new tasks, packets, context switches, disk
             *     requests, retransmits and interrupts.
             */
            events_total: number | null;
            /**
             * Format: uint64
             * @description Programs that started.
             */
            exec_total: number | null;
            /**
             * Format: uint64
             * @description Interrupts of devices.
             */
            irq_total: number | null;
            /**
             * Format: uint64
             * @description Bytes that all network devices received. Bytes that pass several devices count more than
             *     once.
             */
            net_rx_bytes_total: number | null;
            /**
             * Format: uint64
             * @description Bytes that all network devices sent. Bytes that pass several devices count more than once.
             */
            net_tx_bytes_total: number | null;
            /**
             * Format: uint64
             * @description Context switches.
             */
            sched_switch_total: number | null;
            /**
             * Format: uint64
             * @description TCP segments that were sent again.
             */
            tcp_retransmit_total: number | null;
        };
        /** @description OSC output. */
        Osc: {
            /** @description Host name or address of the first target. */
            host: string;
            /**
             * Format: uint16
             * @description UDP port of the first target.
             */
            port: number;
            /** @description OSC input. */
            receive: components["schemas"]["OscReceive"];
            /** @description Further targets, each `host:port`. */
            targets: string[];
        };
        /** @description OSC input: programs on this machine change settings. */
        OscReceive: {
            /** @description Receive OSC. */
            enabled: boolean;
            /**
             * Format: uint16
             * @description UDP port on 127.0.0.1.
             */
            port: number;
        };
        /** @description OSC input: programs on this machine change settings. */
        OscReceiveRequest: {
            /**
             * @description Receive OSC.
             * @default false
             */
            enabled: boolean;
            /**
             * Format: uint16
             * @description UDP port on 127.0.0.1.
             * @default 9001
             */
            port: number;
        };
        /** @description The OSC output, and the OSC input as `receive`. */
        OscReport: {
            /** @description Whether the settings switch it on. */
            enabled: boolean;
            /** @description What is wrong; `null` without trouble. */
            error: string | null;
            /** @description What to do about it; `null` without trouble, or if khor knows no fix. */
            fix: string | null;
            /** @description Host of the first target: a name or an IP address. */
            host: string;
            /** @description Whether it works. False while it is off, and until it has started. */
            ok: boolean;
            /**
             * Format: uint16
             * @description UDP port of the first target.
             */
            port: number;
            /** @description The OSC input. */
            receive: components["schemas"]["ReceiveReport"];
            /** @description All targets, each with its own health. */
            targets: components["schemas"]["TargetHealth"][];
        };
        /** @description OSC output. */
        OscRequest: {
            /**
             * @description Host name or address of the first target.
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
             * @description Further targets, each `host:port`.
             * @default []
             */
            targets: string[];
        };
        /** @description One role's timbre. Plain data, copied into a voice when its note begins. */
        Patch: {
            /**
             * Format: float
             * @description Time to full level, ms, 1..=10000.
             */
            attack_ms: number;
            /**
             * Format: float
             * @description Cutoff or centre at middle C, neutral brightness and envelope 0, Hz, 40..=16000.
             */
            cutoff_hz: number;
            /**
             * Format: float
             * @description Time from full level to within 1/1000 of the sustain level, ms, 1..=20000.
             */
            decay_ms: number;
            /**
             * Format: float
             * @description Share sent to the delay, 0..=1.
             */
            delay_send: number;
            /**
             * Format: float
             * @description Distance of a second oscillator, cents, 0..=50; 0 is one oscillator. Noise has always one.
             */
            detune_cents: number;
            /**
             * Format: float
             * @description How far the envelope at full level opens the filter, octaves, -4..=4.
             */
            env_octaves: number;
            /** @description What the filter lets through. */
            filter: components["schemas"]["FilterMode"];
            /**
             * Format: float
             * @description Swing of the phase at full envelope, radians, 0..=8; fm only. It follows the envelope, so a note becomes
             *     purer as it fades, and is less for high notes, whose sidebands would fold.
             */
            fm_index: number;
            /**
             * Format: float
             * @description Modulator's frequency as a multiple of the note's, 0.25..=12; fm only. Whole numbers are harmonic,
             *     others are bells.
             */
            fm_ratio: number;
            /**
             * Format: float
             * @description Level, dB, -60..=12.
             */
            gain_db: number;
            /**
             * Format: float
             * @description How far the cutoff follows the note, 0 (not at all) ..=1 (with the pitch).
             */
            key_follow: number;
            /**
             * Format: float
             * @description Time from the release to -60 dB, ms, 5..=20000.
             */
            release_ms: number;
            /**
             * Format: float
             * @description Resonance, 0 (Q 0.5) ..=1 (Q 8).
             */
            resonance: number;
            /**
             * Format: float
             * @description Share sent to the reverb, 0..=1.
             */
            reverb_send: number;
            /**
             * Format: float
             * @description Level held until the release, 0..=1.
             */
            sustain: number;
            /**
             * Format: float
             * @description Swing of the pitch to either side once the vibrato is in full, cents, 0..=100; 0 is none.
             */
            vibrato_cents: number;
            /**
             * Format: float
             * @description Rate of the vibrato, Hz, 0.1..=12; every note's differs a little, as singers do.
             */
            vibrato_hz: number;
            /**
             * Format: float
             * @description Share of all that leaves the voice (dry and sends) that is sung through the vowel, 0..=1.
             */
            vowel_send: number;
            /** @description Oscillator waveform. */
            wave: components["schemas"]["Wave"];
            /**
             * Format: float
             * @description Pulse width, share of the period, 0.05..=0.5; pulse only.
             */
            width: number;
        };
        /** @description One role's timbre. Plain data, copied into a voice when its note begins. */
        PatchRequest: {
            /**
             * Format: float
             * @description Time to full level, ms, 1..=10000.
             * @default 5
             */
            attack_ms: number;
            /**
             * Format: float
             * @description Cutoff or centre at middle C, neutral brightness and envelope 0, Hz, 40..=16000.
             * @default 2000
             */
            cutoff_hz: number;
            /**
             * Format: float
             * @description Time from full level to within 1/1000 of the sustain level, ms, 1..=20000.
             * @default 200
             */
            decay_ms: number;
            /**
             * Format: float
             * @description Share sent to the delay, 0..=1.
             * @default 0
             */
            delay_send: number;
            /**
             * Format: float
             * @description Distance of a second oscillator, cents, 0..=50; 0 is one oscillator. Noise has always one.
             * @default 0
             */
            detune_cents: number;
            /**
             * Format: float
             * @description How far the envelope at full level opens the filter, octaves, -4..=4.
             * @default 0
             */
            env_octaves: number;
            /**
             * @description What the filter lets through.
             * @default low
             */
            filter: components["schemas"]["FilterMode"];
            /**
             * Format: float
             * @description Swing of the phase at full envelope, radians, 0..=8; fm only. It follows the envelope, so a note becomes
             *     purer as it fades, and is less for high notes, whose sidebands would fold.
             * @default 1
             */
            fm_index: number;
            /**
             * Format: float
             * @description Modulator's frequency as a multiple of the note's, 0.25..=12; fm only. Whole numbers are harmonic,
             *     others are bells.
             * @default 2
             */
            fm_ratio: number;
            /**
             * Format: float
             * @description Level, dB, -60..=12.
             * @default -12
             */
            gain_db: number;
            /**
             * Format: float
             * @description How far the cutoff follows the note, 0 (not at all) ..=1 (with the pitch).
             * @default 0.30000001192092896
             */
            key_follow: number;
            /**
             * Format: float
             * @description Time from the release to -60 dB, ms, 5..=20000.
             * @default 200
             */
            release_ms: number;
            /**
             * Format: float
             * @description Resonance, 0 (Q 0.5) ..=1 (Q 8).
             * @default 0.10000000149011612
             */
            resonance: number;
            /**
             * Format: float
             * @description Share sent to the reverb, 0..=1.
             * @default 0.20000000298023224
             */
            reverb_send: number;
            /**
             * Format: float
             * @description Level held until the release, 0..=1.
             * @default 0.5
             */
            sustain: number;
            /**
             * Format: float
             * @description Swing of the pitch to either side once the vibrato is in full, cents, 0..=100; 0 is none.
             * @default 0
             */
            vibrato_cents: number;
            /**
             * Format: float
             * @description Rate of the vibrato, Hz, 0.1..=12; every note's differs a little, as singers do.
             * @default 5.5
             */
            vibrato_hz: number;
            /**
             * Format: float
             * @description Share of all that leaves the voice (dry and sends) that is sung through the vowel, 0..=1.
             * @default 0
             */
            vowel_send: number;
            /**
             * @description Oscillator waveform.
             * @default sine
             */
            wave: components["schemas"]["Wave"];
            /**
             * Format: float
             * @description Pulse width, share of the period, 0.05..=0.5; pulse only.
             * @default 0.5
             */
            width: number;
        };
        /** @description The timbres: one per role, and one for each voice stream and the cues where they differ from their role's. */
        Patches: {
            /** @description The timbre of [`Role::Bass`]. */
            bass: components["schemas"]["Patch"];
            /** @description The timbre of [`Role::Chords`]. */
            chords: components["schemas"]["Patch"];
            /** @description The timbre of the cues. */
            cue?: components["schemas"]["Patch"] | null;
            /** @description The timbre of the voice of disks. */
            disk?: components["schemas"]["Patch"] | null;
            /** @description The timbre of the voice of the kernel. */
            kernel?: components["schemas"]["Patch"] | null;
            /** @description The timbre of the voice of local traffic. */
            local?: components["schemas"]["Patch"] | null;
            /** @description The timbre of the voice of retransmits. */
            loss?: components["schemas"]["Patch"] | null;
            /** @description The timbre of [`Role::Melody`]. */
            melody: components["schemas"]["Patch"];
            /** @description The timbre of the voice of memory. */
            memory?: components["schemas"]["Patch"] | null;
            /** @description The timbre of [`Role::Percussion`]. */
            percussion: components["schemas"]["Patch"];
            /** @description The timbre of the voice of new processes. */
            process?: components["schemas"]["Patch"] | null;
            /** @description The timbre of the voice of received traffic. */
            receive?: components["schemas"]["Patch"] | null;
            /** @description The timbre of the voice of sent traffic. */
            send?: components["schemas"]["Patch"] | null;
        };
        /** @description The timbres: one per role, and one for each voice stream and the cues where they differ from their role's. */
        PatchesRequest: {
            /** @description The timbre of [`Role::Bass`]. */
            bass: components["schemas"]["PatchRequest"];
            /** @description The timbre of [`Role::Chords`]. */
            chords: components["schemas"]["PatchRequest"];
            /** @description The timbre of the cues. */
            cue?: components["schemas"]["PatchRequest"] | null;
            /** @description The timbre of the voice of disks. */
            disk?: components["schemas"]["PatchRequest"] | null;
            /** @description The timbre of the voice of the kernel. */
            kernel?: components["schemas"]["PatchRequest"] | null;
            /** @description The timbre of the voice of local traffic. */
            local?: components["schemas"]["PatchRequest"] | null;
            /** @description The timbre of the voice of retransmits. */
            loss?: components["schemas"]["PatchRequest"] | null;
            /** @description The timbre of [`Role::Melody`]. */
            melody: components["schemas"]["PatchRequest"];
            /** @description The timbre of the voice of memory. */
            memory?: components["schemas"]["PatchRequest"] | null;
            /** @description The timbre of [`Role::Percussion`]. */
            percussion: components["schemas"]["PatchRequest"];
            /** @description The timbre of the voice of new processes. */
            process?: components["schemas"]["PatchRequest"] | null;
            /** @description The timbre of the voice of received traffic. */
            receive?: components["schemas"]["PatchRequest"] | null;
            /** @description The timbre of the voice of sent traffic. */
            send?: components["schemas"]["PatchRequest"] | null;
        };
        /** @description Whether more of the signal is more of the feature. */
        Polarity: "up" | "down";
        /** @description A preset as it is written. */
        Preset: {
            /** @description How the bed is played. */
            bed: components["schemas"]["BedSettings"];
            /** @description One sentence that describes the preset's sound. */
            hint: string;
            /** @description The mapping. Without one, the common contract applies. */
            map?: components["schemas"]["Route"][] | null;
            /** @description 1 to 64 of a-z 0-9 - _. */
            name: string;
            /** @description The timbres of all roles. */
            patches: components["schemas"]["Patches"];
            /** @description How the pulse is played, one entry for each stream, at most 4. */
            pulse: components["schemas"]["PulseSettings"][];
            /**
             * Format: float
             * @description Delay of every second step, share of a step.
             */
            swing: number;
            /**
             * Format: float
             * @description Correction that brings the bed to the common loudness, dB.
             */
            trim_db: number;
            /** @description How the voices are played. */
            voices: components["schemas"]["VoiceSettings"];
        };
        /** @description The result of a check of a preset. */
        PresetChecked: {
            /** @description Whether the preset is valid. */
            ok: boolean;
            /** @description All problems of the preset. */
            problems: components["schemas"]["Problem"][];
        };
        /** @description A preset in the list. */
        PresetInfo: {
            /** @description Whether it is part of khor. */
            builtin: boolean;
            /** @description Whether clients can change and remove it. */
            editable: boolean;
            /** @description Path of its file; `null` for a built-in preset. */
            file: string | null;
            /** @description One sentence that helps users choose. */
            hint: string;
            /** @description Name: 1 to 64 of a-z 0-9 - _. */
            name: string;
        };
        /** @description The available presets. */
        PresetList: {
            /** @description Name of the current preset. */
            current: string;
            /** @description The presets, built-in ones first. */
            presets: components["schemas"]["PresetInfo"][];
            /** @description Name of the unsaved preset that plays; `null` if the current preset plays. */
            previewing: string | null;
            /** @description The problems of the user's presets, one line each. */
            problems: string[];
        };
        /** @description The unsaved preset that plays. */
        PresetPreview: {
            /** @description Name of the preset. */
            name: string;
            /** @description Always true. */
            ok: boolean;
            /** @description The keys of a preset's file. */
            preset: components["schemas"]["Preset"];
        };
        /** @description One preset with all its settings. */
        PresetReport: {
            /** @description Whether it is part of khor. */
            builtin: boolean;
            /** @description Path of its file; `null` for a built-in preset. */
            file: string | null;
            /** @description One sentence that helps users choose. */
            hint: string;
            /** @description Name. */
            name: string;
            /** @description Always true. */
            ok: boolean;
            /** @description The keys of the preset's file, always with the whole `map`. */
            preset: components["schemas"]["Preset"];
        };
        /** @description A preset as it is written. */
        PresetRequest: {
            /** @description How the bed is played. */
            bed: components["schemas"]["BedSettingsRequest"];
            /** @description One sentence that describes the preset's sound. */
            hint: string;
            /** @description The mapping. Without one, the common contract applies. */
            map?: components["schemas"]["RouteRequest"][] | null;
            /** @description 1 to 64 of a-z 0-9 - _. */
            name: string;
            /** @description The timbres of all roles. */
            patches: components["schemas"]["PatchesRequest"];
            /**
             * @description How the pulse is played, one entry for each stream, at most 4.
             * @default []
             */
            pulse: components["schemas"]["PulseSettingsRequest"][];
            /**
             * Format: float
             * @description Delay of every second step, share of a step.
             * @default 0
             */
            swing: number;
            /**
             * Format: float
             * @description Correction that brings the bed to the common loudness, dB.
             */
            trim_db: number;
            /** @description How the voices are played. */
            voices: components["schemas"]["VoiceSettings"];
        };
        /** @description A preset was selected. */
        PresetSelected: {
            /** @description Always true. */
            ok: boolean;
            /** @description Name of the current preset. */
            preset: string;
        };
        /** @description The user's presets. */
        PresetsReport: {
            /** @description The folder of the user's presets. */
            folder: string;
            /** @description Whether all presets are valid and the configured preset exists. */
            ok: boolean;
            /** @description What is wrong, one line each. */
            problems: string[];
        };
        /** @description The scheduling priority of the thread that plays. */
        Priority: {
            /** @description What is wrong; `null` without trouble. */
            error: string | null;
            /** @description What to do about it; `null` without trouble, or if khor knows no fix. */
            fix: string | null;
            /** @description What granted the priority; `null` without real-time priority. */
            granted_by: components["schemas"]["Granter"] | null;
            /** @description Whether the thread has real-time priority. */
            real_time: boolean;
        };
        /** @description One of the kernel's counters. */
        ProbeReport: {
            /** @description Whether the source has the counter. */
            available: boolean;
            /** @description The counter's name, such as `execs`. */
            name: string;
            /** @description Why the counter is missing; `null` if it is available. */
            reason: string | null;
        };
        /** @description A problem of a preset. */
        Problem: {
            /** @description The problem, and a valid alternative. */
            message: string;
            /** @description The field: `bed.velocity`, `pulse[1].from`, `map[3].range`; empty for the whole preset. */
            path: string;
        };
        /** @description One stream of the pulse layer. */
        PulseSettings: {
            /**
             * Format: float
             * @description Total work at which it begins, 0..=0.9.
             */
            from: number;
            /**
             * Format: float
             * @description Length of its notes, steps, 0.1..=16.
             */
            gate_steps: number;
            /**
             * Format: uint8
             * @description Onsets per bar at full work and density 0.5, 1..=16.
             */
            max_onsets: number;
            /** @description Choice of pitches. */
            motion: components["schemas"]["Motion"];
            /**
             * Format: float
             * @description -1 (left) ..=1 (right).
             */
            pan: number;
            /** @description Where it lies. */
            register: components["schemas"]["Register"];
            /** @description Whose timbre it has. */
            role: components["schemas"]["Role"];
            /**
             * Format: float
             * @description Loudness, 0..=1.
             */
            velocity: number;
        };
        /** @description One stream of the pulse layer. */
        PulseSettingsRequest: {
            /**
             * Format: float
             * @description Total work at which it begins, 0..=0.9.
             * @default 0
             */
            from: number;
            /**
             * Format: float
             * @description Length of its notes, steps, 0.1..=16.
             */
            gate_steps: number;
            /**
             * Format: uint8
             * @description Onsets per bar at full work and density 0.5, 1..=16.
             */
            max_onsets: number;
            /** @description Choice of pitches. */
            motion: components["schemas"]["Motion"];
            /**
             * Format: float
             * @description -1 (left) ..=1 (right).
             * @default 0
             */
            pan: number;
            /** @description Where it lies. */
            register: components["schemas"]["Register"];
            /** @description Whose timbre it has. */
            role: components["schemas"]["Role"];
            /**
             * Format: float
             * @description Loudness, 0..=1.
             */
            velocity: number;
        };
        /** @description Hours in which the sound device is muted, every day. MIDI and OSC continue. */
        Quiet: {
            /** @description Mute the sound device in these hours. */
            enabled: boolean;
            /** @description When the quiet hours begin, HH:MM in local time. */
            from: string;
            /** @description When the quiet hours end, HH:MM in local time; on the next day if `to` is before `from`. */
            to: string;
        };
        /** @description Hours in which the sound device is muted, every day. MIDI and OSC continue. */
        QuietRequest: {
            /**
             * @description Mute the sound device in these hours.
             * @default false
             */
            enabled: boolean;
            /**
             * @description When the quiet hours begin, HH:MM in local time.
             * @default 22:00
             */
            from: string;
            /**
             * @description When the quiet hours end, HH:MM in local time; on the next day if `to` is before `from`.
             * @default 07:00
             */
            to: string;
        };
        /** @description The reference of levels: the baseline or a fixed ceiling. */
        RangeMode: "adaptive" | "absolute";
        /** @description The OSC input. */
        ReceiveReport: {
            /** @description Whether the settings switch it on. */
            enabled: boolean;
            /** @description What is wrong; `null` without trouble. */
            error: string | null;
            /** @description What to do about it; `null` without trouble, or if khor knows no fix. */
            fix: string | null;
            /** @description Why the last of these was rejected; `null` if none was. */
            last_refusal: string | null;
            /**
             * Format: uint64
             * @description Messages that were received since the engine started.
             */
            messages: number;
            /** @description Whether it works. False while it is off, and until it has started. */
            ok: boolean;
            /**
             * Format: uint16
             * @description UDP port on which khor receives.
             */
            port: number;
            /**
             * Format: uint64
             * @description Packets and messages that were rejected since the engine started.
             */
            refused: number;
        };
        /** @description A file in the folder of recordings. */
        RecordedFile: {
            /**
             * Format: uint64
             * @description The file's length, bytes.
             */
            bytes: number;
            /** @description The file's name, for `GET /api/recordings/{name}`. */
            name: string;
        };
        /** @description The recordings in khor's folder. */
        RecordingList: {
            /** @description The folder's path. */
            folder: string;
            /** @description The recordings, oldest first. */
            recordings: components["schemas"]["RecordedFile"][];
        };
        /** @description A recording has begun. */
        RecordingStarted: {
            /** @description The file's path. */
            file: string;
            /** @description Always true. */
            ok: boolean;
        };
        /** @description The current or last recording. */
        RecordingStatus: {
            /** @description What is wrong; `null` without trouble. */
            error: string | null;
            /** @description The file; `null` if nothing was recorded since the engine started. */
            file: string | null;
            /** @description What to do about it; `null` without trouble, or if khor knows no fix. */
            fix: string | null;
            /**
             * Format: uint64
             * @description Blocks of sound that are missing because the disk was too slow.
             */
            lost_blocks: number;
            /**
             * Format: double
             * @description Missing sound, seconds: the lost blocks, and sound that a busy machine did not pass on in
             *     time.
             */
            lost_seconds: number;
            /** @description Whether the recording is running. */
            recording: boolean;
            /**
             * Format: double
             * @description Length so far, seconds.
             */
            seconds: number;
        };
        /** @description A recording has ended. */
        RecordingStopped: {
            /** @description The file's path. */
            file: string | null;
            /** @description Always true. */
            ok: boolean;
            /**
             * Format: double
             * @description Length, seconds.
             */
            seconds: number;
        };
        /** @description Limits of the disk space for recordings. khor ends a recording cleanly at either limit. */
        Recordings: {
            /**
             * Format: uint32
             * @description Space that stays free on the folder's file system, MiB. Null means 1 GiB or a twentieth
             *     of the file system, whichever is less.
             */
            min_free_mib: number | null;
            /**
             * Format: uint32
             * @description Largest total size of the files in the recordings' folder, MiB. The default has room for
             *     80 hours of FLAC, or 20 hours of WAV at 48 kHz.
             */
            quota_mib: number;
        };
        /** @description Limits of the disk space for recordings. khor ends a recording cleanly at either limit. */
        RecordingsRequest: {
            /**
             * Format: uint32
             * @description Space that stays free on the folder's file system, MiB. Null means 1 GiB or a twentieth
             *     of the file system, whichever is less.
             * @default null
             */
            min_free_mib: number | null;
            /**
             * Format: uint32
             * @description Largest total size of the files in the recordings' folder, MiB. The default has room for
             *     80 hours of FLAC, or 20 hours of WAV at 48 kHz.
             * @default 20480
             */
            quota_mib: number;
        };
        /** @description The answer to a request that was rejected. */
        Refusal: {
            /** @description The field, what is wrong with it, and what is allowed. */
            error: string;
            /** @description Always false. */
            ok: boolean;
            /** @description All problems of a preset. The field is missing in other answers. */
            problems?: components["schemas"]["Problem"][];
        };
        /** @description Messages that were rejected since the program started, by reason. */
        RefusedMessages: {
            /**
             * Format: uint64
             * @description From hosts, sites or relays above their limit.
             */
            crowded: number;
            /**
             * Format: uint64
             * @description From a relay that uses another relay's name.
             */
            duplicate: number;
            /**
             * Format: uint64
             * @description Cues above the limit of a host.
             */
            flooded: number;
            /**
             * Format: uint64
             * @description Not messages of khor.
             */
            foreign: number;
            /** @description Why the last message was rejected; `null` if none was. */
            last: string | null;
            /**
             * Format: uint64
             * @description Older than a message that arrived before.
             */
            late: number;
            /**
             * Format: uint64
             * @description Broken, or with meaningless values.
             */
            malformed: number;
            /**
             * Format: uint64
             * @description Sent under another host's subject.
             */
            misdirected: number;
            /**
             * Format: uint64
             * @description Frames of sites that contain sites, and frames of sites at a relay that aggregates.
             */
            nested: number;
            /**
             * Format: uint64
             * @description Longer than the longest message of khor.
             */
            oversized: number;
            /**
             * Format: uint64
             * @description With an unknown major version.
             */
            version: number;
        };
        /** @description A span of MIDI notes, both ends included. */
        Register: {
            /**
             * Format: uint8
             * @description Highest note, at least 11 above the lowest, ..=96.
             */
            high: number;
            /**
             * Format: uint8
             * @description Lowest note, 36..=85.
             */
            low: number;
        };
        /** @description A musical job; decides timbre and MIDI channel. */
        Role: "melody" | "bass" | "chords" | "percussion";
        /** @description A line of the mapping as it is written. */
        Route: {
            /** @description Curve from the input to the feature; default `linear`. */
            curve: components["schemas"]["Curve"];
            /** @description Input values between which the feature moves; the usual ones where there are none. */
            from?: [
                number,
                number
            ] | null;
            /** @description The value of the signal that the route reads; default `level`. */
            of: components["schemas"]["Of"];
            /** @description Direction of the feature; default `up`. */
            polarity: components["schemas"]["Polarity"];
            /** @description The feature's lowest and highest value, in its own unit. */
            range: [
                number,
                number
            ];
            /** @description A signal, or `work`. */
            signal: string;
            /** @description The feature. */
            to: string;
        };
        /** @description A line of the mapping as it is written. */
        RouteRequest: {
            /**
             * @description Curve from the input to the feature; default `linear`.
             * @default linear
             */
            curve: components["schemas"]["Curve"];
            /** @description Input values between which the feature moves; the usual ones where there are none. */
            from?: [
                number,
                number
            ] | null;
            /**
             * @description The value of the signal that the route reads; default `level`.
             * @default level
             */
            of: components["schemas"]["Of"];
            /**
             * @description Direction of the feature; default `up`.
             * @default up
             */
            polarity: components["schemas"]["Polarity"];
            /** @description The feature's lowest and highest value, in its own unit. */
            range: [
                number,
                number
            ];
            /** @description A signal, or `work`. */
            signal: string;
            /** @description The feature. */
            to: string;
        };
        /**
         * @description A scale; the names are those of the configuration.
         * @enum {string}
         */
        Scale: "pentatonic_minor" | "pentatonic_major" | "natural_minor" | "harmonic_minor" | "major" | "dorian" | "phrygian" | "lydian" | "mixolydian" | "whole_tone" | "chromatic";
        /** @description The part of the machine that is counted: the scope. */
        ScopeReport: {
            /**
             * @description Paths of the cgroups in the scope. Empty for the whole machine, and while no source
             *     delivers.
             */
            cgroups: string[];
            /** @description What is wrong; `null` without trouble. */
            error: string | null;
            /** @description What to do about it; `null` without trouble, or if khor knows no fix. */
            fix: string | null;
            /** @description Whether the whole machine is selected. */
            is_machine: boolean;
            /** @description Whether the scope is counted completely. */
            ok: boolean;
            /**
             * @description The selected scope in words: a unit, `process 4711`, `the whole machine`, or the single host
             *     of a site.
             */
            whose: string;
        };
        /** @description A section that has a pulse of its own. */
        SectionReport: {
            /**
             * Format: uint
             * @description Number of its hosts.
             */
            hosts: number;
            /** @description Name of the section; `null` for the hosts of all other sections. */
            name: string | null;
            /**
             * Format: float
             * @description Its position, -1 (left) to 1 (right).
             */
            pan: number;
            /** @description The range of its notes, MIDI note numbers. */
            register: components["schemas"]["Register"];
            /** @description The timbre of its pulse. */
            timbre: components["schemas"]["Role"];
        };
        /** @description What the machine is doing, in words. */
        SentenceReport: {
            /** @description One sentence, as in `GET /api/explain`. */
            sentence: string;
        };
        /** @description One signal. */
        SignalReport: {
            /** @description Whether the source has the signal. */
            available: boolean;
            /**
             * Format: double
             * @description The usual rate, in `unit`; `null` if it is missing.
             */
            baseline: number | null;
            /**
             * Format: float
             * @description How far `rate` is above `baseline`, octaves of 1 + rate ÷ grain; `null` if it is missing.
             *     Differences below the signal's grain are not significant. For all hosts of a site together,
             *     this is the deviation that plays.
             */
            deviation: number | null;
            /** @description The family: one colour, and one timbre and register. */
            family: components["schemas"]["Family"];
            /** @description Two or three plain words, such as `program starts`. */
            label: string;
            /**
             * Format: float
             * @description Level, 0 to 1; `null` if it is missing. The setting `signals.range` selects its meaning: how
             *     far the signal is above this machine's usual range, or its share of the ceiling.
             */
            level: number | null;
            /**
             * Format: double
             * @description The rate, in `unit`; `null` if it is missing.
             */
            rate: number | null;
            /** @description Why the signal is missing; `null` if it is available. */
            reason: string | null;
            /**
             * Format: float
             * @description How sudden the change is, 0 to 1; `null` if it is missing.
             */
            surprise: number | null;
            /**
             * @description Unit of `rate` and `baseline`: `1/s`, `B/s`, `s` (a mean time) or `ratio` (a share of time,
             *     0 to 1). An added lane may have another unit, or none.
             */
            unit: string;
        };
        /** @description How rates become levels. */
        Signals: {
            /** @description Rate at which the level of this signal is 1, in the signal's own unit. */
            ceilings: {
                [key: string]: number;
            };
            /**
             * @description The reference of the levels. `adaptive`: this machine's own baseline; `absolute`: only
             *     the ceilings.
             */
            range: components["schemas"]["RangeMode"];
        };
        /** @description How rates become levels. */
        SignalsRequest: {
            /**
             * @description Rate at which the level of this signal is 1, in the signal's own unit.
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
             * @description The reference of the levels. `adaptive`: this machine's own baseline; `absolute`: only
             *     the ceilings.
             * @default adaptive
             */
            range: components["schemas"]["RangeMode"];
        };
        /** @description What silences the sound device. */
        SilenceReason: "muted" | "snoozed" | "quiet_hours";
        /** @description Why the sound device is silent, and until when. */
        SilenceReport: {
            /** @description The reason that lasts longest. */
            reason: components["schemas"]["SilenceReason"];
            /**
             * Format: uint64
             * @description When the silence ends by itself, milliseconds since 1970; `null` if it lasts until somebody
             *     unmutes.
             */
            until: number | null;
        };
        /** @description The single host that plays as if it were this machine. */
        SingleHostReport: {
            /** @description What is wrong; `null` without trouble. */
            error: string | null;
            /** @description What to do about it; `null` without trouble, or if khor knows no fix. */
            fix: string | null;
            /** @description Name of the host. */
            host: string;
            /** @description Whether the host plays now. */
            ok: boolean;
        };
        /** @description The site that khor plays instead of this machine. */
        Site: {
            /** @description The single host that plays as if it were this machine; null is all hosts together. */
            host: string | null;
            /** @description Which hosts of the site play. A change takes effect at the next bar line. */
            mode: components["schemas"]["SiteMode"];
            /** @description Name of the site; empty is this machine. */
            name: string;
            /** @description The NATS server of the site. */
            nats: components["schemas"]["Nats"];
        };
        /** @description Which hosts of a site play. In each mode, the most deviant one or two hosts have the voices. */
        SiteMode: "ensemble" | "sections" | "roll_call";
        /** @description The site that khor plays instead of this machine. */
        SiteRequest: {
            /**
             * @description The single host that plays as if it were this machine; null is all hosts together.
             * @default null
             */
            host: string | null;
            /**
             * @description Which hosts of the site play. A change takes effect at the next bar line.
             * @default ensemble
             */
            mode: components["schemas"]["SiteMode"];
            /**
             * @description Name of the site; empty is this machine.
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
             * @description When the snooze ends, milliseconds since 1970; `null` if the request ended it.
             */
            snoozed_until_ts_ms: number | null;
        };
        /** @description A host of a site that has the voices. */
        SoloReport: {
            /**
             * Format: float
             * @description How far this signal is above its baseline, octaves.
             */
            deviation: number;
            /** @description Name of the host. */
            host: string;
            /** @description Its section; `null` for the hosts without one. */
            section: string | null;
            /** @description Name of its most deviant signal. */
            signal: string;
        };
        /** @description The one or two hosts of a site that have the voices. */
        SoloistList: {
            /** @description The hosts, the largest deviation first. Empty without a site. */
            soloists: components["schemas"]["SoloReport"][];
        };
        /** @description A part of the music, and its cause. */
        SoundPart: {
            /** @description Which signals cause it, in words. */
            because: string;
            /** @description `bed`, `pulse` or `voice`. */
            layer: string;
            /** @description How it sounds, in words. */
            what: string;
        };
        /** @description The kind of a source. */
        SourceKind: "collector" | "proc" | "demo" | "capture" | "site";
        /** @description Where the counts come from. */
        SourceReport: {
            /** @description Description of the source, one line. */
            detail: string;
            /** @description What is wrong; `null` without trouble. */
            error: string | null;
            /** @description What to do about it; `null` without trouble, or if khor knows no fix. */
            fix: string | null;
            /**
             * Format: uint16
             * @description Time between two samples that the source grants, milliseconds. It may be longer than the
             *     setting `bpf.sample_interval_ms`. `null` while no source delivers. Also `null` for a site,
             *     because each host has its own interval.
             */
            interval_ms: number | null;
            /** @description The kind of source; `null` while none delivers. */
            kind: components["schemas"]["SourceKind"] | null;
            /**
             * @description Whether the source delivers. If it delivers but lacks something, `error` names what it
             *     lacks.
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
        /** @description A site within the site. */
        SubSiteReport: {
            /**
             * Format: uint32
             * @description Number of aggregators that send for the site.
             */
            aggregators: number;
            /**
             * Format: uint32
             * @description Number of its hosts that send.
             */
            live: number;
            /** @description Name of the site. */
            name: string;
            /**
             * Format: uint64
             * @description Messages that its aggregators rejected.
             */
            refused: number;
            /**
             * Format: double
             * @description Largest relative error of the site's sums, 0 to 1.
             */
            relative_error: number;
            /**
             * Format: double
             * @description Largest relative error of its sections' sums, 0 to 1; `null` without sections.
             */
            section_relative_error: number | null;
            /**
             * Format: uint64
             * @description Age of its last message, milliseconds.
             */
            seen_ms_ago: number;
            /**
             * Format: uint32
             * @description Number of its hosts that have stopped sending.
             */
            silent: number;
            /** @description Whether its aggregators send. */
            state: components["schemas"]["HostState"];
        };
        /** @description One target of the OSC output. */
        TargetHealth: {
            /** @description Why khor cannot send to the target; `null` if it can, or if the reason is not known yet. */
            error: string | null;
            /**
             * @description Whether khor can send to the target: its host has an address, and khor could send the last
             *     datagram. UDP does not report whether a datagram arrived.
             */
            ok: boolean;
            /** @description The target, `host:port`. */
            target: string;
        };
        /** @description The time zone of the quiet hours. */
        TimeReport: {
            /** @description What is wrong; `null` without trouble. */
            error: string | null;
            /** @description What to do about it; `null` without trouble, or if khor knows no fix. */
            fix: string | null;
            /** @description Whether the configured zone is valid. */
            ok: boolean;
            /** @description Name of the time zone. `UTC` if the configured zone is invalid. */
            zone: string;
        };
        /** @description The web page. */
        Ui: {
            /** @description Serve the page from this folder instead of the copy in the program. */
            dir: string | null;
            /** @description Serve the page. */
            serve: boolean;
        };
        /** @description The web page. */
        UiRequest: {
            /**
             * @description Serve the page from this folder instead of the copy in the program.
             * @default null
             */
            dir: string | null;
            /**
             * @description Serve the page.
             * @default true
             */
            serve: boolean;
        };
        /** @description The systemd units that can be selected as the scope. */
        UnitList: {
            /** @description Names of the units that have a cgroup now, for the setting `bpf.cgroup`. */
            units: string[];
        };
        /** @description How the voices are played. */
        VoiceSettings: {
            /**
             * Format: float
             * @description Length of their notes, as a factor of what the stream asks for, 0.1..=4.
             */
            gate: number;
            /**
             * Format: float
             * @description Onsets, as a factor of what the mapping asks for, 0.25..=2.
             */
            pace: number;
            /**
             * Format: float
             * @description Seconds between the single notes of an idle machine, on average, 5..=120.
             */
            rare_s: number;
            /**
             * Format: float
             * @description Loudness, 0..=1.
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
