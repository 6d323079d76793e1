"""Audio: sniffing, decoding to 16 kHz mono in a confined process, levels and cuts."""
