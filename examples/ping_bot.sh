#!/bin/sh
# Answers "!ping" in a room, once each, with nothing but curl. It resumes where it was, also after a restart.
#
#   ROOM_TOKEN=plr_... sh ping_bot.sh https://chat.example/harbour/ ping_bot.position
#
# The file keeps its position. Without a token the bot is a guest.
set -eu
room=${1%/} file=$2

request() {
  curl --silent --show-error --fail ${ROOM_TOKEN:+--oauth2-bearer "$ROOM_TOKEN"} "$@"
}

field() { # NAME JSON: the text of a field whose value needs no decoding
  expr "$2" : ".*\"$1\":\"\\([^\"]*\\)\"" || true
}

save() { # AFTER EPOCH
  printf '%s %s\n' "$1" "$2" >"$file.new" && mv "$file.new" "$file"
}

if [ ! -s "$file" ]; then
  page=$(request --header 'Accept: application/json' "$room/?limit=1")
  save "$(expr "$page" : '.*"head":\([0-9]*\)')" "$(field epoch "$page")"
fi

while :; do
  seq='' && read -r after epoch <"$file"
  # Server-sent events: the lines of each are "id: 42", "event: message" and "data: {…}".
  request --no-buffer --keepalive-time 20 --max-time 3600 "$room/events?after=$after&epoch=$epoch" | while read -r name value; do
    case $name$value in
      id:*) seq=$value ;;
      event:reset) seq= ;;
      data:*'"message":"!ping"'*)
        request --retry 5 --retry-all-errors --output /dev/null --header 'Content-Type: text/plain' \
          --header "Idempotency-Key: pong-$epoch-$seq" --data pong "$room/" || break ;;
      data:*'"type":"reset"'*)
        epoch=$(field epoch "$value") seq=$(expr "$value" : '.*"head":\([0-9]*\)') ;;
    esac
    # The position is kept once the event is answered.
    if [ "$name" = data: ] && [ -n "$seq" ]; then save "$seq" "$epoch"; fi
  done || true
  sleep 1
done
