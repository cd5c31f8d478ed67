//! What each rule of the protocol is for: without it, some seed shows the anomaly.
