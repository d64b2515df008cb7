# The post-install script of the packages khor and khor-relay. Only khor has the engine's units.
systemd-sysusers khor.conf
systemd-tmpfiles --create khor.conf >/dev/null 2>&1 || :
if [ $1 -eq 1 ]; then
    systemctl --no-reload preset khor-collector.socket khor-collector.service || :
    if [ -e /usr/lib/systemd/user/khor-engine.service ]; then
        systemctl --no-reload --global preset khor-engine.service || :
    fi
    if [ -d /run/systemd/system ]; then
        systemctl daemon-reload || :
        systemctl start khor-collector.socket khor-collector.service || :
    fi
fi
