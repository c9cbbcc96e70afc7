"""Flow charts: one layout (:mod:`.model`) made from a result (:mod:`.chart`), and what draws it. Floor 8.

Way of the data: calls -> :func:`.chart.make_chart` -> :class:`.model.FlowChart` -> one of the renderers
(:mod:`.text`, :mod:`.svg`, :mod:`.page`, :mod:`.figure`, :mod:`.mermaid`). :class:`.picture.Flow` is what a person
holds. All that is decided about a chart (who stands where, what is folded, what a label says) is decided in the layout;
a renderer only draws. Texts in a chart are clean (no control characters, no bidirectional overrides); each renderer
escapes them for its own language.
"""
