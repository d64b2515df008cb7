if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || :
    if [ $1 -ge 1 ]; then
        systemctl try-restart khor-collector.service khor-relay.service || :
    fi
fi
if [ $1 -eq 0 ] && [ -d /etc/khor ]; then
    rmdir --ignore-fail-on-non-empty /etc/khor || :
fi
