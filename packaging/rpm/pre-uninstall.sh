if [ $1 -eq 0 ]; then
    systemctl --no-reload disable --now khor-relay.service khor-collector.socket khor-collector.service || :
    systemctl --no-reload --global disable khor-engine.service khor-engine.socket khor-relay.service || :
fi
