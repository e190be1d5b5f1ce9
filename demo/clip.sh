#!/usr/bin/env bash
# Make the demo's clip from the public-domain portraits: 40 s of H.264, 1280x720, 25 fps. Portraits
# enter a plain room from the left, stay some seconds, and leave to the right; once two are in view.
# usage: demo/clip.sh      (after models/fetch.sh --portraits)
set -euo pipefail

cache=${POLYFACE_CACHE:-$HOME/.cache/polyface}
photos=$cache/photos
clip=$cache/demo/gate.mp4
length=40   # seconds
slide=1.2   # seconds to enter, and to leave

# Make the clip again when this script changes.
recipe=$(sha256sum "${BASH_SOURCE[0]}" | cut -d' ' -f1)
if [ -f "$clip" ] && [ "$(cat "$clip.recipe" 2>/dev/null)" = "$recipe" ]; then exit; fi
echo "clip: making $clip"
mkdir -p "$cache/demo"

work=$(mktemp -d "$cache/demo/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
inputs=()
chains="gradients=s=1280x720:r=25:d=$length:x0=0:y0=0:x1=300:y1=720:c0=0x5c6670:c1=0xa9b1b8:speed=0.00001[room0]"
passages=0

# Crop a portrait and fade its edge.
portrait() { # PHOTO CROP WIDTH RESULT
    ffmpeg -hide_banner -loglevel error -y -i "$photos/$1" -frames:v 1 \
        -vf "crop=$2,scale=$3:-2:flags=lanczos,format=rgba,geq=r='r(X,Y)':g='g(X,Y)':b='b(X,Y)':
            a='255*clip(6*(1-hypot(2*X/W-1,2*Y/H-1)),0,1)'" "$4"
}

# Move one portrait through the room.
# passage PHOTO CROP(w:h:x:y, head and shoulders) WIDTH(pixels in the clip) FROM TO(seconds) LEFT TOP(pixels)
passage() {
    local n=$passages width=$3 from=$4 to=$5 left=$6 top=$7
    local stay_from="($from+$slide)" stay_to="($to-$slide)" drift=50
    # Left edge over time: in from the left, a slow drift, out to the right.
    local x="if(lt(t,$stay_from), -w+($left+w)*(t-$from)/$slide,
             if(lt(t,$stay_to), $left+$drift*(t-$stay_from)/($stay_to-$stay_from),
             $left+$drift+(W-$left-$drift)*(t-$stay_to)/$slide))"
    # The portrait grows a little, as if it came nearer.
    local size="$width*(1+0.08*(t-$from)/($to-$from))"
    portrait "$1" "$2" "$width" "$work/$n.png"
    inputs+=(-loop 1 -framerate 25 -t "$(awk "BEGIN { print $to - $from }")" -i "$work/$n.png")
    passages=$((n + 1))
    chains+=";[$n:v]setpts=PTS+$from/TB,scale=w='trunc($size/2)*2':h=-2:eval=frame[portrait$n]
        ;[room$n][portrait$n]overlay=x='$x':y='$top+6*sin(1.3*t)':
        repeatlast=0:eof_action=pass[room$passages]"
}

# No person returns within a few seconds of leaving: that would count as the same visit.
passage Barack_Obama/obama.jpg       470:560:260:10 400  2.0  8.0 380 110
passage Joe_Biden/biden.jpg          530:660:310:40 400  9.5 15.5 400 100
passage Eileen_Collins/astronaut.png 210:240:122:6  380 17.0 23.0 420 130
passage Barack_Obama/obama2.jpg      500:640:90:140 360 24.5 30.5 720 120
passage Joe_Biden/biden.jpg          530:660:310:40 360 25.3 31.5 120 130
passage Eileen_Collins/astronaut.png 210:240:122:6  400 33.0 38.5 380 110

ffmpeg -hide_banner -loglevel error -y "${inputs[@]}" -filter_complex "$chains" -map "[room$passages]" \
    -t "$length" -r 25 -c:v libx264 -preset veryfast -crf 20 -pix_fmt yuv420p -g 25 -an \
    -movflags +faststart "$clip.part.mp4"
mv "$clip.part.mp4" "$clip"
echo "$recipe" >"$clip.recipe"
