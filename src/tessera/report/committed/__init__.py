"""What prepares this repository's committed results and documents; users need none.

`make results` runs `readme`, `frontier` and `ablation`; `collect` fills results/.
"""
