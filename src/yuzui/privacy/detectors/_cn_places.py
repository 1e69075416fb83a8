"""Names of provinces and prefectures of China, as they begin an address; the shorter form that people write too.

Source: the Ministry of Civil Affairs' list of administrative divisions above county level,
https://www.mca.gov.cn/mzsj/xzqh/ (2025); for Taiwan https://www.ris.gov.tw/ (2025). Compiled by hand.
"""

from __future__ import annotations

from typing import Final

_PROVINCES = """
    北京 天津 上海 重庆 重慶 河北 山西 辽宁 吉林 黑龙江 江苏 浙江 安徽 福建 江西 山东 河南 湖北 湖南 广东 海南 四川
    贵州 云南 陕西 甘肃 青海 台湾 臺灣 内蒙古 內蒙古 广西 西藏 宁夏 新疆 香港 澳门 澳門
    廣東 廣西 江蘇 遼寧 黑龍江 山東 雲南 貴州 陝西 甘肅 青海 寧夏
"""
_PREFECTURES = """
    石家庄 唐山 秦皇岛 邯郸 邢台 保定 张家口 承德 沧州 廊坊 衡水
    太原 大同 阳泉 长治 晋城 朔州 晋中 运城 忻州 临汾 吕梁
    呼和浩特 包头 乌海 赤峰 通辽 鄂尔多斯 呼伦贝尔 巴彦淖尔 乌兰察布 兴安盟 锡林郭勒 阿拉善
    沈阳 大连 鞍山 抚顺 本溪 丹东 锦州 营口 阜新 辽阳 盘锦 铁岭 朝阳市 葫芦岛
    长春 吉林 四平 辽源 通化 白山 松原 白城 延边
    哈尔滨 齐齐哈尔 鸡西 鹤岗 双鸭山 大庆 伊春 佳木斯 七台河 牡丹江 黑河 绥化 大兴安岭
    南京 无锡 徐州 常州 苏州 南通 连云港 淮安 盐城 扬州 镇江 泰州 宿迁
    杭州 宁波 温州 嘉兴 湖州 绍兴 金华 衢州 舟山 台州 丽水
    合肥 芜湖 蚌埠 淮南 马鞍山 淮北 铜陵 安庆 黄山 滁州 阜阳 宿州 六安 亳州 池州 宣城
    福州 厦门 莆田 三明 泉州 漳州 南平 龙岩 宁德
    南昌 景德镇 萍乡 九江 新余 鹰潭 赣州 吉安 宜春 抚州 上饶
    济南 青岛 淄博 枣庄 东营 烟台 潍坊 济宁 泰安 威海 日照 临沂 德州 聊城 滨州 菏泽
    郑州 开封 洛阳 平顶山 安阳 鹤壁 新乡 焦作 濮阳 许昌 漯河 三门峡 南阳 商丘 信阳 周口 驻马店 济源
    武汉 黄石 十堰 宜昌 襄阳 鄂州 荆门 孝感 荆州 黄冈 咸宁 随州 恩施 仙桃 潜江 天门 神农架
    长沙 株洲 湘潭 衡阳 邵阳 岳阳 常德 张家界 益阳 郴州 永州 怀化 娄底 湘西
    广州 韶关 深圳 珠海 汕头 佛山 江门 湛江 茂名 肇庆 惠州 梅州 汕尾 河源 阳江 清远 东莞 中山 潮州 揭阳 云浮
    南宁 柳州 桂林 梧州 北海 防城港 钦州 贵港 玉林 百色 贺州 河池 来宾 崇左
    海口 三亚 三沙 儋州 五指山 琼海 文昌 万宁 东方
    成都 自贡 攀枝花 泸州 德阳 绵阳 广元 遂宁 内江 乐山 南充 眉山 宜宾 广安 达州 雅安 巴中 资阳 阿坝 甘孜 凉山
    贵阳 六盘水 遵义 安顺 毕节 铜仁 黔西南 黔东南 黔南
    昆明 曲靖 玉溪 保山 昭通 丽江 普洱 临沧 楚雄 红河 文山 西双版纳 大理 德宏 怒江 迪庆
    拉萨 日喀则 昌都 林芝 山南 那曲 阿里
    西安 铜川 宝鸡 咸阳 渭南 延安 汉中 榆林 安康 商洛
    兰州 嘉峪关 金昌 白银 天水 武威 张掖 平凉 酒泉 庆阳 定西 陇南 临夏 甘南
    西宁 海东 海北 黄南 海南州 果洛 玉树 海西
    银川 石嘴山 吴忠 固原 中卫
    乌鲁木齐 克拉玛依 吐鲁番 哈密 昌吉 博尔塔拉 巴音郭楞 阿克苏 克孜勒苏 喀什 和田 伊犁 塔城 阿勒泰 石河子 阿拉尔
    台北 臺北 新北 桃园 桃園 台中 臺中 台南 臺南 高雄 基隆 新竹 嘉义 嘉義 苗栗 彰化 南投 云林 雲林 屏东 屏東 宜兰
    宜蘭 花莲 花蓮 台东 臺東 澎湖 金门 金門 马祖
"""
_ORDINARY_WORDS = """
    东方 文山 中山 和田 大理 定西 安康 白银 黄山 来宾 云林 阿里 海东 海西 海北 南通 山南
"""
_ORDINARY = frozenset(_ORDINARY_WORDS.split())
"""Names that other words contain (路 names, family names, compass points): they count only before 市, 州, 县, 地区."""
_LEVELS_WORDS = """
    省 市 州 盟 县 縣 地区 地區 自治 特别 壮族 回族 维吾尔
"""
_LEVELS = tuple(_LEVELS_WORDS.split())


def _by_beginning() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for name in dict.fromkeys([*_PROVINCES.split(), *_PREFECTURES.split()]):
        found.setdefault(name[:2], []).append(name)
    return {beginning: tuple(sorted(names, key=len, reverse=True)) for beginning, names in found.items()}


_BY_BEGINNING: Final = _by_beginning()


def place_at(text: str, at: int) -> int:
    """Where the name of a province or prefecture at `at` ends, its level (省, 市 …) included; 0: there is none."""
    for name in _BY_BEGINNING.get(text[at : at + 2], ()):
        if not text.startswith(name, at):
            continue
        end = at + len(name)
        level = next((level for level in _LEVELS if text.startswith(level, end)), "")
        if level in ("自治", "特别", "壮族", "回族", "维吾尔"):  # 自治区, 自治州, 特别行政区
            closing = min(
                (i for i in (text.find("区", end, end + 10), text.find("州", end, end + 10)) if i > 0), default=0
            )
            return closing + 1 if closing else end
        if level:
            return end + len(level)
        if name not in _ORDINARY:
            return end
    return 0
