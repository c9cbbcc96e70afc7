"""The full-screen browser for the terminal, made with Textual. Floor 9, above what it shows.

In: an :class:`~sipanalyzer.analysis.Analysis`. Out: a screen. Textual is loaded when a browser is opened.
"""
