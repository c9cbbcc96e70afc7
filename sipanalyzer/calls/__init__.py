"""Floor 5: messages to transactions, dialogs and calls; signalling and media meet."""
