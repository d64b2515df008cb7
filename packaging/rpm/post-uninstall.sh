# Serves the packages khor and khor-relay. After an upgrade, and after the other
# package has replaced this one, the collector still exists.
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || :
    if [ -e /usr/bin/khor-collector ]; then
        systemctl try-restart khor-collector.service khor-relay.service || :
    fi
fi
if [ $1 -eq 0 ] && [ ! -e /usr/bin/khor-collector ] && [ -d /etc/khor ]; then
    rmdir --ignore-fail-on-non-empty /etc/khor || :
fi
