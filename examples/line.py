"""A line that classifies: POST a picture's file, get its class. On this machine only (127.0.0.1).

python line.py runs/DEPLOYED/model.onnx 8700; curl --data-binary @part.png 127.0.0.1:8700

A newer model takes over once it is moved into the file's place (`mv new.onnx model.onnx`); requests
under way end with the one they began with. Needs onnxruntime, pillow and numpy.
"""

import io
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image


def watch(path, seen=None):
    while not threading.Event().wait(0.5):
        try:
            if seen != (seen := path.exists() and path.stat().st_mtime_ns):
                model = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
                facts = model.get_modelmeta().custom_metadata_map
                side = json.loads(facts["input"])["smallest"]
                model.run(None, {"images": np.zeros((1, side, side, 3), np.uint8)})
                Line.model = model, json.loads(facts["classes"])
                print(f"{path} answers: {', '.join(Line.model[1])}", flush=True)
        except Exception as error:  # what answered before goes on
            print(f"{path}: not a model of `augsearch deploy`: {error}", flush=True)


class Line(BaseHTTPRequestHandler):
    def do_POST(self):
        try:
            picture = Image.open(io.BytesIO(self.rfile.read(int(self.headers["Content-Length"]))))
            odd = picture.has_transparency_data or ";16" in str(picture.tile)
            if odd or picture.mode not in ("L", "RGB") or picture.getexif().get(274, 1) != 1:
                raise ValueError("want an upright, opaque picture of 8 bits, grey or colour")
            session, classes = Line.model
            found = session.run(None, {"images": np.asarray(picture.convert("RGB"))[None]})
            answer = {"class": classes[int(found[1][0])], "probability": float(found[0].max())}
            answer |= {"stopped": bool(found[2][0])} if len(found) > 2 else {}
        except Exception as error:
            answer = {"error": str(error)}
        self.send_response(400 if "error" in answer else 200)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())


Line.log_message, ThreadingHTTPServer.request_queue_size = lambda *_: None, 128
threading.Thread(target=watch, args=[Path(sys.argv[1])], daemon=True).start()
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2])), Line).serve_forever()
