# The pre-uninstall script of the packages khor and khor-relay. While one package replaces the
# other, the licence files of both packages exist. In this case, the units keep running.
licences=$(ls -d /usr/share/licenses/khor/LICENSE-MIT /usr/share/licenses/khor-relay/LICENSE-MIT 2>/dev/null | wc -l)
if [ $1 -eq 0 ] && [ "$licences" -lt 2 ]; then
    systemctl --no-reload disable --now khor-relay.service khor-collector.socket khor-collector.service || :
    systemctl --no-reload --global disable khor-relay.service || :
    if [ -e /usr/lib/systemd/user/khor-engine.service ]; then
        systemctl --no-reload --global disable khor-engine.service khor-engine.socket || :
    fi
fi
