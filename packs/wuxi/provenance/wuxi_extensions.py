"""Classes that the reference table has and the 2026 list has not: the pack keeps them as local extensions."""

from __future__ import annotations

# code in the pack: kind, name, English name, classes of the 2013 numbering that it takes up
EXTENSIONS: dict[str, tuple[str, str, str, tuple[str, ...]]] = {
    "01999": ("component", "便民驿站", "Public rest station", ("C0199", "C0197")),
    "01998": ("component", "供水压力柜", "Water-pressure cabinet", ("C0193",)),
    "01997": ("component", "桥体、楼体亮化", "Bridge or building lighting", ("C0178",)),
    "02999": ("component", "平石", "Gutter stone", ("C0285",)),
    "02998": ("component", "人行道", "Pavement", ("C0284",)),
    "04999": ("component", "花带石", "Planting-bed kerb", ("C0493",)),
    "05999": ("component", "液化气站", "LPG station", ("C0504",)),
    "05998": ("component", "其他指示牌、标识牌", "Other sign or board", ("C0598",)),
    "06999": ("event", "餐厨垃圾遗撒和污染", "Kitchen-waste spillage and pollution", ("E0131",)),
    "06998": ("event", "违规小产权房", "Housing built without full title", ("E0199",)),
    "06997": ("event", "违法农村自建房", "Rural house built unlawfully", ("E0198",)),
    "06996": ("event", "作业车辆管理问题", "Street-work vehicle problem", ("E0195",)),
    "06995": ("event", "藤蔓类覆盖", "Overgrowth by creepers", ("E0190",)),
    "06994": ("event", "光污染", "Light pollution", ("E0187",)),
    "06993": ("event", "违规养犬", "Dogs kept against the rules", ("E0184",)),
    "06992": ("event", "外立面裂缝", "Cracked facade", ("E0183",)),
    "06991": ("event", "河道违采、乱堆", "Digging or dumping in a river", ("E0182",)),
    "06990": ("event", "河道违建", "Unlawful structure in a river", ("E0181",)),
    "06989": ("event", "线体垂落", "Cable hanging down", ("E0180",)),
    "07999": ("event", "户外广告设置位置不合理", "Badly sited outdoor advertisement", ("E0205",)),
    "08999": ("event", "设施残留物", "Remains of removed facilities", ("E0398",)),
    "08998": ("event", "施工缓慢", "Slow works", ("E0396",)),
    "09999": ("event", "便民服务摊点问题", "Licensed service stall problem", ("E0492",)),
    "09998": ("event", "早餐车管理问题", "Breakfast cart problem", ("E0491",)),
    "10999": ("event", "供水管道破裂", "Burst water main", ("E0501",)),
    "10998": ("event", "燃气管道破裂", "Burst gas pipe", ("E0502",)),
    "10997": ("event", "排水管道堵塞、破裂", "Blocked or broken drain", ("E0503",)),
    "10996": ("event", "热力管道破裂", "Burst heating pipe", ("E0504",)),
    "10995": ("event", "路面塌陷", "Road collapse", ("E0505",)),
    "10994": ("event", "道路积水", "Road flooding", ("E0506",)),
    "10993": ("event", "高空坠物", "Objects falling from height", ("E0596",)),
    "10992": ("event", "其他突发事件", "Other emergency", ("E0595",)),
    "10991": ("event", "门前责任区问题", "Frontage responsibility problem", ("E0604",)),
    "10990": ("event", "非法采砂、取土", "Unlawful sand digging", ("E0696",)),
}

# a class that belongs to two categories of the 2026 list
TWO_CLASSES: dict[str, list[str]] = {"C0181": ["06051", "06052"]}

# what a class is called where it shares a category with others
SUBJECTS: dict[str, tuple[str, str]] = {
    "C0199": ("爱心驿站", "Care station"),
    "C0197": ("品牌驿站", "Branded station"),
    "C0299": ("高架桥", "Viaduct"),
    "C0498": ("绿地指示牌", "Sign in a green"),
    "C0499": ("人行道绿地", "Green beside a pavement"),
    "C0495": ("机非隔离带", "Strip between carriageway and cycle lane"),
    "C0494": ("人行道隔离带", "Strip between cycle lane and pavement"),
    "C0396": ("已设公示牌", "Existing board"),
    "E0399": ("未设公示牌", "Board missing"),
    "E0179": ("园路", "Park path"),
}

# manhole covers for which the table has no condition, and the class whose limits they borrow
ANALOGUES: dict[str, str] = dict.fromkeys(
    ("01005", "01007", "01008", "01009", "01012", "01015", "01017", "01019", "01020", "01021", "01022"), "01001"
)

# categories (with a condition, or with none stated) that get an urgent limit of their own although the table has none
MADE_URGENT: tuple[tuple[str, str], ...] = (("10002", ""), ("10002", "1"))
