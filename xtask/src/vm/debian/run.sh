# Runs both test programs. Prints the exit code of the last one that failed, or 0. MARK and ONLY
# come from the unit's settings.
cd /usr/lib/khor-e2e || exit
./alsa --test-threads=1 --nocapture ${ONLY:+"$ONLY"}
worst=$?
./system --ignored --test-threads=1 --nocapture ${ONLY:+"$ONLY"} || worst=$?
echo "$MARK $worst"
