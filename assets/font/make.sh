#!/bin/sh
# Rebuilds the fonts of this folder from Debian's package fonts-noto-core 20201225-1
# (`apt-get download fonts-noto-core && dpkg-deb -x fonts-noto-core_*.deb .`) with
# `pip install fonttools brotli`. First argument: the folder usr/share/fonts/truetype/noto.
# Noto Sans has no arrows, minus or visible space: those come from its sister fonts.
set -eu
from=$1
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
latin="U+0020-007E,U+00A0-017F,U+0192,U+01E6,U+0218-021B,U+02BC,U+02C6,U+02DA,U+02DC,U+0370-03FF,\
U+0400-045F,U+0490-0491,U+2010-2015,U+2018-201E,U+2020-2022,U+2026,U+2030,U+2032-2033,U+2039-203A,\
U+2044,U+2070-209C,U+20AC,U+2116,U+2122"
maths="U+2190-2195,U+21A6,U+21B5,U+2200,U+2202,U+2203,U+2206-2208,U+220F,U+2211,U+2212,U+2218,U+221A,\
U+221E,U+2225,U+2227-222B,U+2248,U+2260,U+2261,U+2264,U+2265,U+22C5,U+27E8,U+27E9"
symbols="U+2423,U+25A0,U+25A1,U+25CB,U+25CF,U+25E6,U+2713,U+2717"
cut() { # file, characters, features
  pyftsubset "$from/$1.ttf" --unicodes="$2" --layout-features="$3" --no-hinting --notdef-outline \
    --drop-tables+=MATH --output-file="$work/$1.ttf"
}
cut NotoSans-Regular "$latin" kern,ccmp
cut NotoSansMath-Regular "$maths" ""
cut NotoSansSymbols2-Regular "$symbols" ""
cd "$work"
fonttools merge --output-file=merged.ttf NotoSans-Regular.ttf NotoSansMath-Regular.ttf NotoSansSymbols2-Regular.ttf
pyftsubset merged.ttf --unicodes='*' --layout-features=kern,ccmp --no-hinting --notdef-outline \
  --name-IDs='*' --output-file="$here/NotoSans.ttf"
# The merger takes the tallest of the three fonts; the lines of text are those of Noto Sans.
python3 - "$from/NotoSans-Regular.ttf" "$here/NotoSans.ttf" <<'PYTHON'
import sys
from fontTools.ttLib import TTFont
source, target = TTFont(sys.argv[1]), TTFont(sys.argv[2])
for name in ("ascent", "descent", "lineGap"):
    setattr(target["hhea"], name, getattr(source["hhea"], name))
for name in ("sTypoAscender", "sTypoDescender", "sTypoLineGap", "usWinAscent", "usWinDescent",
             "sCapHeight", "sxHeight", "fsSelection"):
    setattr(target["OS/2"], name, getattr(source["OS/2"], name))
target["name"] = source["name"]
target.save(sys.argv[2])
PYTHON
pyftsubset "$here/NotoSans.ttf" --unicodes='*' --name-IDs='*' --layout-features=kern,ccmp --flavor=woff2 \
  --output-file=NotoSans.woff2
base64 -w 0 NotoSans.woff2 > "$here/NotoSans.woff2.base64"
# Which characters a figure may use as they are.
python3 - "$here/NotoSans.ttf" > "$here/characters.txt" <<'PYTHON'
import sys
from fontTools.ttLib import TTFont
print("".join(map(chr, sorted(TTFont(sys.argv[1]).getBestCmap()))), end="")
PYTHON
rm -r "$work"
