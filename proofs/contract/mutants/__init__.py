"""The suite's teeth: servers that break one rule each, made of a server that keeps all of them."""
