if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || :
    if [ $1 -ge 1 ]; then
        systemctl try-restart khor-collector.service khor-relay.service || :
    fi
fi
