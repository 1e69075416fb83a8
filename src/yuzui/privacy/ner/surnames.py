"""Chinese surnames, and the words that stand beside a name. Facts, no text of anybody.

Single surnames: the most frequent of the census reports of the Ministry of Public Security, and those of the Hundred
Family Surnames that are still in use. Sources: https://www.mps.gov.cn/n2254314/n6409334/ (report on names, 2020),
https://zh.wikisource.org/wiki/百家姓. Compound surnames: https://zh.wikipedia.org/wiki/复姓. Read 2026-11.
"""

from __future__ import annotations

from typing import Final

SINGLE: Final = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖萧田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金"
    "韦贾夏傅付方邹熊白孟秦邱侯江尹薛闫阎段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常汤康易乔赖文洪温芦庄樊兰殷施颜倪翟邢安申章鲁"
    "聂葛岳牛柳齐毕左尤关路焦柴鲍骆纪舒梅祝涂苗盛童欧詹柯阮霍翁俞尚曲裴项符耿凌游骆宫时辛管祁季单饶裘艾包卞边卜车成池储楚褚丛崇党"
    "狄刁窦都杭封丰伏甘戈巩古谷郜桂国海和衡花华桓皇宦稽吉籍计家简翦荆井景静鞠阚亢空匡况旷蓝郎劳冷利练廉连娄栾蔺隆蒙米宓苗闵明缪牟穆"
    "那能宁农钮农欧潘庞逄蓬皮平蒲濮浦戚强仇丘屈瞿璩全权冉饶茹阮桑沙山商佘折申生师寿束水税司松宿隋索邰滕佟屠危卫韦蔚闻邬巫伍席郗奚习"
    "冼咸相解忻幸胥宣荀鄢晏燕羊仰养尧应永雍於虞喻元原苑郁恽臧查翟占湛战仉智诸竺卓宗祖佐楼仲伊衣迟邸佴么揭揣苟仝麻富敖奉敬公勾来"
    "劉陳楊黃趙吳孫馬鄭謝許韓鄧馮蕭葉蘇呂盧鍾譚陸範韋賈鄒閻賀龔邵萬錢嚴湯喬賴溫蘆莊樊蘭顏倪聶畢關駱紀塗歐齊單饒邊車楚從黨竇鞏穀華"
    "由計簡荊況曠藍勞練連婁欒閔農龐瞿權師壽稅隨蔚衛鄔習鹹應於虞雲鬱臧諸遲"
)
"""First characters that may be a surname, simplified and traditional."""

TRANSLITERATION: Final = frozenset(
    "阿埃艾爱安昂奥巴拜班邦保鲍贝本比彼别宾波伯勃博布查策茨达大戴丹道德登邓蒂迪帝丁东杜多厄恩儿尔法凡范菲费芬弗福盖甘冈高戈格葛古瓜哈海汉豪荷赫黑亨胡华怀惠霍"
    "基吉加嘉贾杰金久居卡凯坎康考柯科克肯孔库夸拉莱兰朗劳勒雷黎里理利丽莉莲廉列林琳留柳隆卢鲁露路伦罗洛吕马玛迈麦曼芒毛梅美门蒙孟米密敏明摩莫默姆木穆"
    "拿纳娜奈南瑙内能尼涅宁纽农努诺欧帕派潘庞佩彭蓬皮匹平珀普奇齐契恰强乔切钦琼丘屈让热日荣儒若萨塞赛桑瑟森沙莎山珊尚绍舍申圣胜施什史舒朔丝思斯松苏索所"
    "塔泰坦汤唐陶特滕腾提铁汀廷通图托瓦万汪旺威韦维魏温文翁沃乌武伍西希锡夏香肖谢辛欣星兴休许叙雪逊雅亚延扬尧耶叶伊依因英永尤于约泽曾扎詹章珍芝治朱卓兹祖佐歇"
    "翰堡洪侯捷津廖茅茂聂妮佛孚晋靳隽差察昌敦顿芙冯圭杭琪钱盛姚雨宗夫娃佳娅蕾黛薇芭蓓梭邱第"
)
"""Characters with which foreign names are written. Source: the tables of the Xinhua news agency for transcription,
https://zh.wikipedia.org/wiki/Wikipedia:外语译音表."""

_JAPANESE = (
    "佐藤 铃木 高桥 田中 渡边 渡部 渡辺 伊藤 山本 中村 小林 加藤 吉田 山田 佐佐木 山口 松本 井上 木村 清水 斋藤 斉藤 阿部 池田 桥本 石川 小川 前田 冈田 "
    "长谷川 藤田 后藤 近藤 村上 远藤 青木 坂本 福田 太田 西村 藤井 金子 冈本 藤原 三浦 中野 中岛 原田 松田 竹内 小野 田村 中山 和田 石田 上田 内田 柴田 "
    "酒井 宫崎 宫本 横山 高木 安藤 谷口 大野 丸山 今井 河野 藤本 村田 武田 上野 杉山 增田 平野 大塚 千叶 久保 小岛 松井 野口 岩崎 菊地 菊池 木下 佐野 "
    "野村 松尾 市川 杉本 古川 大西 岛田 水野 樱井 高田 吉川 山内 西田 饭田 西川 小松 北村 安田 五十岚 川口 平田 关口 中田 久保田 东野 服部 川崎 饭塚 "
    "本田 久间 泽田 土屋 秋山 石井 石原 大岛 大久保 松下 松冈 小泉 小渊 小泽 鸠山 麻生 安倍 岸田 野田 竹下 细川 羽田 村山 宫泽 中曾根 海部 河合 浅野 "
    "浅田 森田 永井 永田 荒木 荒井 黑田 黑泽 大江 大平 福原 三岛 川端 夏目 芥川 宫部 樋口 德川 织田 丰臣 武村 二阶堂 滨田 滨崎 根本 茂木 堀内 柳泽 "
    "須藤 齋藤 鈴木 高橋 橋本 後藤 遠藤 岡田 岡本 長谷川 廣田 桜井 櫻井 鳩山 濱田 濱崎 澤田 黒田 黒澤 大澤 小澤 宮崎 宮本 宮澤 増田 関口 飯田 飯塚 竹內"
)
JAPANESE: Final = frozenset(_JAPANESE.split())
"""The most frequent Japanese surnames of two and three characters, as Chinese texts write them, and those of prime
ministers and authors. Written down for this, simplified and traditional."""

_COMPOUND = (
    "欧阳 歐陽 太史 端木 上官 司马 司馬 东方 東方 独孤 獨孤 南宫 南宮 万俟 闻人 聞人 夏侯 诸葛 諸葛 尉迟 尉遲 公羊 赫连 赫連 澹台 皇甫 "
    "宗政 濮阳 濮陽 公冶 太叔 申屠 公孙 公孫 慕容 仲孙 钟离 鍾離 长孙 長孫 宇文 司徒 鲜于 鮮于 司空 闾丘 子车 亓官 司寇 巫马 公西 颛孙 "
    "壤驷 公良 漆雕 乐正 宰父 谷梁 拓跋 夹谷 轩辕 令狐 段干 百里 呼延 东郭 南门 羊舌 微生 公户 公玉 梁丘 左丘 东门 西门 第五 爱新觉罗 叶赫"
)
COMPOUND: Final = frozenset(_COMPOUND.split())

_TITLES = (
    "先生 女士 小姐 太太 夫人 同学 同志 师傅 老师 教授 副教授 博士 硕士 院士 医生 医师 主任医师 副主任医师 主治医师 大夫 护士 护士长 药师 律师 "
    "法官 检察官 警官 警员 总 总监 总经理 副总 副总经理 经理 董事长 董事 主任 副主任 主席 副主席 书记 副书记 部长 副部长 局长 副局长 处长 科长 "
    "厅长 司长 院长 副院长 校长 副校长 所长 市长 省长 县长 镇长 村长 组长 队长 站长 行长 社长 会长 秘书长 秘书 助理 顾问 工程师 会计师 设计师 "
    "分析师 研究员 记者 编辑 导演 演员 教练 老板 老板娘 阿姨 叔叔 大爷 大妈 大叔 大哥 大姐 奶奶 爷爷 伯伯 师兄 师姐 师弟 师妹 工 导 哥 姐 姨 爷 "
    "將軍 将军 司令 上校 少校 中校 大校 少将 中将 上将 连长 营长 团长 师长 军长 舰长 机长 船长 车长 法师 道长 居士 神父 牧师 議員 议员 总统 總統 "
    "总理 總理 副总理 副总统 总督 议长 委员长 副市长 副省长 副厅长 副处长 副县长 副镇长 理事长 总干事 总书记 元帅 首相 國王 国王 女王 王子 公主 大使 领事 參議員 参议员 發言人 发言人 經理 董事長 醫生 醫師 護士 律師 老師 師傅 博士生 女士们"
)
TITLES: Final = tuple(sorted(_TITLES.split(), key=lambda word: (-len(word), word)))
"""Words right behind a name, longest first."""

SHORT_TITLES: Final = frozenset("总工导哥姐姨爷")
"""One character: believed only behind a bare surname."""

_ROLES = (
    "记者 作者 主编 编辑 编剧 导演 主演 演员 歌手 教练 队长 球员 选手 主持人 经理 总经理 副总经理 常务副总 副总 董事长 总裁 副总裁 总监 主任 副主任 主席 "
    "副主席 书记 副书记 部长 副部长 局长 副局长 处长 科长 厅长 司长 院长 副院长 校长 所长 市长 副市长 省长 县长 镇长 秘书长 秘书 发言人 代表 委员 议员 "
    "教授 副教授 博士 院士 研究员 工程师 专家 律师 法官 检察官 医生 医师 主任医师 副主任医师 主治医师 主治医生 大夫 护士 患者 病人 客户 用户 联系人 收件人 "
    "寄件人 申请人 委托人 被告人 被告 原告 证人 当事人 法定代表人 法人代表 负责人 经办人 投保人 被保险人 受益人 持卡人 借款人 担保人 员工 职员 同事 经纪人 "
    "助理 特别助理 会长 副会长 总干事 干事 理事长 总督 副总理 国务委员 参谋长 实习生 通讯员 总编辑 主管 代理人 联络人 业主 车主 房东 租客 "
    "老板 店主 网友 村民 市民 居民 民警 警官 学生 同学 家长 老师 班主任 儿子 女儿 妻子 丈夫 父亲 母亲 爸爸 妈妈 哥哥 弟弟 姐姐 妹妹 老公 老婆 男友 女友 "
    "总统 总理 首相 大使 外长 司令 将军 参议员 先生 女士 小姐 名叫 叫做 我叫 本人 签名 姓名 署名 作曲 作词 演唱 摄影 翻译 责编 校对 审核 审批 起草"
)
ROLES: Final = tuple(sorted(_ROLES.split(), key=lambda word: (-len(word), word)))
"""Words right before a name, longest first."""

_LABELS = (
    "姓名 名字 客户 患者 病人 联系人 收件人 寄件人 收货人 申请人 持卡人 户主 户名 法人 法定代表人 负责人 经办人 委托人 投保人 被保险人 受益人 员工 学生 家长 "
    "监护人 紧急联系人 乘客 旅客 借款人 作者 签名 真实姓名 姓 名 曾用名 责任人 参会人 主讲人 面试官 候选人 用户 用户名 昵称 經辦人 聯絡人 收件者 申請人"
)
LABELS: Final = tuple(_LABELS.split())
"""What stands before a colon and a name."""

AFTER: Final = frozenset(
    "，。、；：！？,.;:!?()（）《》〈〉“”\"'‘’[]【】 \t\n\r\u3000/|·—-～~"
    "的是在和与及同对向给把被让将说称任为从也都还就又已曾于至到以因等之来去做有想要能会可并而或则便即着了过吗呢吧啊呀哦先女同"
)
"""Characters that may follow a name: punctuation and function words."""

GIVEN_TOO: Final = frozenset("和同能有为以因来想可先之而向至任会成与及")
"""Those of them that also stand in given names."""

GOVERNS: Final = frozenset("找托请当送见问访陪迎替帮跟随由叫喊称据按为")
"""Verbs and prepositions of one character that take a person."""

_PERSON_VERBS = (
    "表示 指出 认为 介绍 告诉 透露 宣布 强调 出席 担任 出任 会见 率领 率团 主持 陪同 致辞 致词 回答 坦言 回忆 说道 报道 摄影 提出 负责 签署 参加 发表 抵达 前往 接受 走进 "
    "获得 当选 毕业 来到 决定 希望 觉得 感觉 曾经 先后 今年 昨天 今天 昨日 今日 现年"
)
PERSON_VERBS: Final = tuple(_PERSON_VERBS.split())
"""What a person does or is said to do, right behind a name."""

WORDS_TOO: Final = frozenset("由任向和于那从应时都能全单管连相经因为被把给当同与及是来")
"""Surnames that are more often a verb, a preposition or an adverb before a title."""

_PERSONAL = (
    "先生 女士 小姐 太太 夫人 同学 同志 师傅 老师 教授 副教授 博士 院士 医生 医师 主任医师 副主任医师 主治医师 大夫 护士 护士长 律师 法官 检察官 警官 阿姨 叔叔 "
    "大爷 大妈 大叔 大哥 大姐 奶奶 爷爷 伯伯 醫生 醫師 老師 師傅 律師 將軍 将军 上将 中将 少将"
)
PERSONAL: Final = frozenset(_PERSONAL.split())
"""Titles that only a person bears, never a post by itself."""

_LONG: Final = COMPOUND | JAPANESE


def surname_length(text: str, at: int) -> int:
    """How many characters at `at` are a surname: 2 or 3 for a compound or Japanese one, 1, or 0."""
    if text[at : at + 2] in _LONG:
        return 2
    if text[at : at + 3] in _LONG:
        return 3
    return 1 if text[at : at + 1] in SINGLE else 0
