"""The messages of a session: Foxglove's own, and ``linepilot.Tick``, whose descriptor is built here.

Fields are only ever added, with new numbers: then old files stay readable, and new ones by old programs.
"""

from __future__ import annotations

from typing import Any

from foxglove_schemas_protobuf.CameraCalibration_pb2 import CameraCalibration
from foxglove_schemas_protobuf.CompressedImage_pb2 import CompressedImage
from foxglove_schemas_protobuf.ImageAnnotations_pb2 import ImageAnnotations
from foxglove_schemas_protobuf.Log_pb2 import Log
from foxglove_schemas_protobuf.PoseInFrame_pb2 import PoseInFrame
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClassesForFiles

VERSION = "1"
"""Of the layout: topics, and what the messages on them mean."""
IMAGE, CALIBRATION, LINE = "/camera/image", "/camera/calibration", "/camera/line"
TICK, TARGET, TRUTH, LOG = "/tick", "/target", "/truth", "/log"

_PACKAGE = "linepilot"
_FILE = "linepilot/tick.proto"
_SCALARS = {
    "double": FieldDescriptorProto.TYPE_DOUBLE, "bool": FieldDescriptorProto.TYPE_BOOL,
    "int64": FieldDescriptorProto.TYPE_INT64, "uint64": FieldDescriptorProto.TYPE_UINT64,
    "string": FieldDescriptorProto.TYPE_STRING,
}  # fmt: skip
# A type with * is repeated, with ? a number that may be missing; numbers count from 1 in this order.
_MESSAGES = {
    "LinePoint": "double x, double y, double visible, double spread",
    "Estimate": "LinePoint* points, double confidence",
    "GroundPoint": "double x, double y",
    "Command": "double curvature_1pm, double speed_mps",
    "Terms": "double error, double proportional, double integral, double derivative, double feed_forward",
    "Decision": "Command command, LinePoint target, GroundPoint ground, Terms terms, double confidence",
    "Health": "double frame_age_s, double line_confidence, bool needs_line, bool camera_ok, bool picture_ok, "
    "bool motors_ok, bool emergency_stop, bool link_ok, double? temperature_c, double? cell_voltage_v, "
    "double dropped_fraction",
    "Verdict": "Command command, string state, string* causes, bool was_limited",
    "Differential": "double left, double right",
    "Ackermann": "double steering, double throttle",
    "Section": "string name, double seconds",
    "Truth": "double x, double y, double heading_rad, double speed_mps, double lateral_error_m, "
    "double heading_error_rad, double along_m, double distance_m, bool off_line",
    "Tick": "double now_s, double exposed_s, bool has_picture, int64 frame_index, double frame_stamp_s, "
    "Estimate estimate, Decision decision, Health health, Verdict verdict, Differential differential, "
    "Ackermann ackermann, Section* sections, Truth truth, uint64 dropped_before, Command by_hand, string hand_over",
}


def _message(name: str, fields: str) -> DescriptorProto:
    message = DescriptorProto(name=name)
    for number, text in enumerate(fields.split(", "), start=1):
        kind, field_name = text.split(" ")
        bare = kind.rstrip("*?")
        field = message.field.add(name=field_name, number=number)
        field.label = FieldDescriptorProto.LABEL_REPEATED if "*" in kind else FieldDescriptorProto.LABEL_OPTIONAL
        if bare in _SCALARS:
            field.type = _SCALARS[bare]
        else:
            field.type, field.type_name = FieldDescriptorProto.TYPE_MESSAGE, f".{_PACKAGE}.{bare}"
        if "?" in kind:
            field.proto3_optional, field.oneof_index = True, len(message.oneof_decl)
            message.oneof_decl.add(name=f"_{field_name}")
    return message


def _classes() -> dict[str, Any]:
    file = FileDescriptorProto(name=_FILE, package=_PACKAGE, syntax="proto3")
    file.message_type.extend(_message(name, fields) for name, fields in _MESSAGES.items())
    pool = DescriptorPool()
    pool.Add(file)
    found = GetMessageClassesForFiles([_FILE], pool)
    return {name: found[f"{_PACKAGE}.{name}"] for name in _MESSAGES}


CLASSES = _classes()
"""By their name in the package."""
TYPES: dict[str, Any] = {
    IMAGE: CompressedImage, CALIBRATION: CameraCalibration, LINE: ImageAnnotations, TICK: CLASSES["Tick"],
    TARGET: PoseInFrame, TRUTH: PoseInFrame, LOG: Log,
}  # fmt: skip
"""Of the messages on each topic."""


def words(name: str) -> str:
    """A state or a cause as people write it."""
    return name.lower().replace("_", " ")
