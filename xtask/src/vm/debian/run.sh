# Runs all tests, one after the other, and prints the worst exit code. MARK and ONLY come from the unit's settings.
cd /usr/lib/khor-e2e || exit
./alsa --test-threads=1 --nocapture ${ONLY:+"$ONLY"}
worst=$?
./system --ignored --test-threads=1 --nocapture ${ONLY:+"$ONLY"} || worst=$?
echo "$MARK $worst"
