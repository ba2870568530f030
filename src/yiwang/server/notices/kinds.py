"""The kinds of notice, in the order in which they matter: of one event, somebody is told in the first kind that fits."""

from __future__ import annotations

from dataclasses import dataclass

from yiwang.core.kernel.text import Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of notice.

    Attributes:
        id: As it is kept, chosen and asked for.
        name: For people.
        text: What a notice of this kind says; the case is named beside it.
        explained: When one is made.
        icon: Beside it.
        tone: Of the chip that shows it: ``red``, ``yellow``, ``green`` or plain.
    """

    id: str
    name: Text
    text: Text
    explained: Text
    icon: str
    tone: str = ""


ASSIGNED = Kind(
    id="assigned",
    name=Text("指派给我", "Assigned to me"),
    text=Text("案卷指派给您经办", "The case is assigned to you"),
    explained=Text("本单位把案卷指派给您。", "Your unit has made the case yours to work on."),
    icon="user",
)
SUPERVISED = Kind(
    id="supervised",
    name=Text("督办", "Supervision"),
    text=Text("案卷被督办", "The case is under supervision"),
    explained=Text("上级督办本单位承办的案卷。", "Somebody above supervises a case that your unit holds."),
    icon="megaphone",
    tone="yellow",
)
OVERDUE = Kind(
    id="overdue",
    name=Text("已超时", "Overdue"),
    text=Text("案卷已超时", "The case is past its deadline"),
    explained=Text("流程的升级规则：时限已到或已过。", "An escalation of the workflow: the limit has been reached."),
    icon="circle-alert",
    tone="red",
)
DUE = Kind(
    id="due",
    name=Text("临近时限", "Deadline near"),
    text=Text("案卷临近时限", "The case is close to its deadline"),
    explained=Text("流程的升级规则：时限将到。", "An escalation of the workflow: the limit is about to be reached."),
    icon="clock",
    tone="yellow",
)
TO_ANSWER = Kind(
    id="to_answer",
    name=Text("待答复", "To answer"),
    text=Text("有申请等您的单位答复", "A request waits for your unit's answer"),
    explained=Text(
        "延期、挂账、申诉等您的单位答复，或请您的单位会办。",
        "An extension, suspension or appeal waits for your unit's answer, or your unit is asked to assist.",
    ),
    icon="inbox",
)
ANSWERED = Kind(
    id="answered",
    name=Text("申请有答复", "Request answered"),
    text=Text("您的申请有了答复", "Your request was answered"),
    explained=Text(
        "您申请的延期、挂账、申诉或会办有了答复，或已随流程失效。",
        "An extension, suspension, appeal or assistance that you asked for was answered, or lapsed.",
    ),
    icon="circle-check",
)
ARRIVED = Kind(
    id="arrived",
    name=Text("案卷到本单位", "Came to my unit"),
    text=Text("案卷转到您的单位承办", "The case came to your unit"),
    explained=Text("案卷由其他单位转到您的单位承办。", "The case came to your unit from another one."),
    icon="files",
)
TOLD = Kind(
    id="told",
    name=Text("流程告知", "Told by the loop"),
    text=Text("流程把案卷的办理告知您的单位", "The loop tells your unit of the case"),
    explained=Text("办理时，流程要求告知您的单位。", "What was done asks for your unit to be told."),
    icon="info",
)
KINDS: dict[str, Kind] = {
    kind.id: kind for kind in (ASSIGNED, SUPERVISED, OVERDUE, DUE, TO_ANSWER, ANSWERED, ARRIVED, TOLD)
}
