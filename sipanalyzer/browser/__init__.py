"""The full-screen browser for the terminal, made with Textual. Floor 9, above what it shows.

In: an :class:`~sipanalyzer.analysis.Analysis`. Out: a screen. Textual is loaded when a browser is opened.

What is shown is made as plain data first, without Textual: rows and cells of a list (:mod:`.listing`, :mod:`.sights`),
a raw message and what tells two apart (:mod:`.wire`), a stream's page (:mod:`.quality`), a flow chart's lines
(:mod:`.charting`), files that are saved (:mod:`.saving`). Two widgets draw it: :mod:`.grid` and :mod:`.sheet`; both
draw only the lines that are on the screen, whatever the number of rows. :mod:`.screens` puts them together,
:mod:`.keys` names the keys, :mod:`.look` the colours.
"""
