#!/usr/bin/env python3
"""Reads a model with Python's onnx and writes it again: the peer of `rene copy`. usage: peer_copy.py IN OUT"""

import sys

import onnx

if __name__ == "__main__":
    onnx.save(onnx.load(sys.argv[1]), sys.argv[2])
