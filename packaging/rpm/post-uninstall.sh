# The post-uninstall script of the packages khor and khor-relay. If the program khor-collector still
# exists, this was an upgrade, or the other package has replaced this one.
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || :
    if [ -e /usr/bin/khor-collector ]; then
        systemctl try-restart khor-collector.service khor-relay.service || :
    fi
fi
if [ $1 -eq 0 ] && [ ! -e /usr/bin/khor-collector ] && [ -d /etc/khor ]; then
    rmdir --ignore-fail-on-non-empty /etc/khor || :
fi
