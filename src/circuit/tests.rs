//! What the graph and its selections must hold.
