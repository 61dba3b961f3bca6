"""The kit of HTML pages: each is one file that loads nothing and can be read without JavaScript.

- ``markup``: elements, escaped by construction. ``document``: the frame of a page, with ``style.css``.
- ``svg``: charts, bars. ``tables``: tables, cells, facts; ``sort.js`` sorts them.
- ``image_cards``: thumbnails with captions.
"""
