"""What the pages say in Korean, as data; English is the key. A test looks whether a word is missing."""

from __future__ import annotations

from typing import Final

LANGUAGES: Final = ("en", "ko")
KO: Final[dict[str, str]] = {
    "Accounts receivable": "미수금",
    "Action": "작업",
    "Actor": "담당자",
    "Address": "주소",
    "Adjustments": "조정",
    "After": "변경 후",
    "Amount": "금액",
    "Approve": "승인",
    "Approved by": "승인자",
    "Ask": "요청",
    "Ask for an adjustment": "조정 요청",
    "Asked by": "요청자",
    "Attempts": "시도 횟수",
    "Ask for a credit note": "대변표 발행 요청",
    "Ask to send a top-up back": "충전금 환불 요청",
    "Ask to void the invoice": "청구서 무효화 요청",
    "Audit log": "감사 로그",
    "Balance": "잔액",
    "Before": "변경 전",
    "Billable": "청구 수량",
    "Billed": "청구 금액",
    "Book": "가격표",
    "Close": "마감",
    "Close board": "마감 현황",
    "Close the month": "월 마감",
    "Code": "인증 코드",
    "Collection": "수금 방법",
    "Content hash": "내용 해시",
    "Cost": "원가",
    "Credit limit": "신용 한도",
    "Credited": "대변 발행",
    "Currency": "통화",
    "Currency list": "통화별 기본",
    "Differences": "차이",
    "Disputed": "분쟁",
    "Draft": "초안",
    "Due": "청구액",
    "E-mail": "이메일",
    "Effective from": "적용 시작",
    "Engine": "엔진",
    "Entries": "항목 수",
    "Entries behind a line": "명세 줄의 근거 항목",
    "Error": "오류",
    "Everything agrees.": "모두 일치합니다.",
    "Difference": "차액",
    "Evidence": "증빙",
    "Exchange rate": "환율",
    "Exchange rates": "환율",
    "Expected": "기대값",
    "Feature": "기능",
    "Finance": "재무",
    "Formula": "계산식",
    "Found": "실제값",
    "From wallet": "지갑 결제",
    "Held": "보류",
    "Hello": "안녕하세요",
    "Included": "포함 수량",
    "Into": "환산 통화",
    "Invoice": "청구서",
    "Kind": "종류",
    "Language": "언어",
    "Ledger": "원장",
    "Line": "줄",
    "Lines": "명세",
    "Log in": "로그인",
    "Log out": "로그아웃",
    "Lost": "패소",
    "Margin": "마진",
    "Margin and usage": "마진과 사용량",
    "Memo": "고객용 메모",
    "Meter": "측정 단위",
    "Mode": "방식",
    "Model": "모델",
    "Month": "월",
    "New exchange rates": "새 환율표",
    "New prices": "새 가격",
    "New version from this": "이 버전으로 새 초안",
    "Next": "다음",
    "Next attempt": "다음 시도",
    "Nothing blocks it.": "막는 것이 없습니다.",
    "Occurred": "발생 시각",
    "Origin": "발생 월",
    "Paid": "결제됨",
    "Password": "비밀번호",
    "Password again": "비밀번호 확인",
    "Per": "단위당",
    "Period": "기간",
    "Price book": "가격표",
    "Prices": "가격",
    "Push": "수금 전송",
    "Quantity": "수량",
    "Rate": "산정",
    "Raw": "측정 수량",
    "Reason": "사유",
    "Reconciliation": "대사",
    "Reject": "거절",
    "Review": "검토",
    "Revenue": "매출",
    "Role": "역할",
    "Scan this with an authenticator app, or type the secret in.": (
        "인증 앱으로 스캔하거나 비밀 키를 직접 입력하세요."
    ),
    "Set up your account": "계정 설정",
    "Show": "보기",
    "Source": "출처",
    "Statement": "명세서",
    "Statements": "명세서",
    "Status": "상태",
    "Subject": "대상",
    "Take back what this job was billed": "이 작업의 청구 취소 요청",
    "Tax": "세금",
    "Tenant": "고객사",
    "Text": "설명",
    "Tier": "구간",
    "Time": "시각",
    "Top-up": "충전",
    "Top-ups": "충전 내역",
    "Total": "합계",
    "Unit price": "단가",
    "Usage": "사용량",
    "Version": "버전",
    "Wallets": "지갑",
    "Was": "기존 금액",
    "Went back": "반환됨",
    "What": "항목",
    "What the customer reads": "고객에게 보이는 내용",
    "What if": "가정 계산",
    "What blocks it": "막는 것",
    "Would be": "새 금액",
    "Created by": "작성자",
    "Job": "작업 ID",
    "Recorded": "기록 시각",
    "CSV": "CSV",
    "XLSX": "XLSX",
    "Password, code or address is wrong, or it was tried too often. Wait a minute and try again.": (
        "이메일, 비밀번호 또는 인증 코드가 틀렸거나 시도가 너무 많습니다. 잠시 후 다시 시도하세요."
    ),
    "You have joined. Pages for customers are still to come: until then your team works with API keys.": (
        "가입이 완료되었습니다. 고객용 페이지는 준비 중이며, 그때까지는 API 키로 작업합니다."
    ),
    "The two passwords differ.": "두 비밀번호가 다릅니다.",
    "The code does not fit. Wait for the next one.": "인증 코드가 맞지 않습니다. 다음 코드를 기다려 주세요.",
    "Use at least 12 characters that are no common password.": "흔하지 않은 12자 이상의 비밀번호를 사용하세요.",
    "This link was used or is too old. Ask for a new one.": "사용했거나 만료된 링크입니다. 새 링크를 요청하세요.",
    "Write the first day like 2027-01-01.": "시작일은 2027-01-01 형식으로 적으세요.",
    "Say where the rates come from.": "환율의 출처를 적으세요.",
    "Write each rate once, as: USD KRW 1395.5 (one dollar is so many won).": (
        "환율은 한 번씩 USD KRW 1395.5(1달러당 원) 형식으로 적으세요."
    ),
    "The ledger knows no live usage of this job.": "원장에 이 작업의 실제 사용량이 없습니다.",
    "Name the tenant, and say why in a sentence.": "고객사와 사유를 적으세요.",
    "Write the amount like -12.50; a credit is below 0.": "금액을 -12.50처럼 적으세요. 대변은 0보다 작습니다.",
    "Write the amount that goes back, like 12.50.": "돌려줄 금액을 12.50처럼 적으세요.",
    "There is nothing here yet": "아직 내용이 없습니다",
    "This statement has no such line. Go back to the statement and choose one.": (
        "명세서에 그런 줄이 없습니다. 명세서로 돌아가 줄을 고르세요."
    ),
    "More than 100,000 rows. Narrow the list by tenant, engine or month, then export it.": (
        "100,000행이 넘습니다. 고객사, 엔진 또는 월로 좁힌 뒤 내보내세요."
    ),
    "More than 100,000 entries. Take the statement's export from the API: it streams them all.": (
        "항목이 100,000개를 넘습니다. API의 명세서 내보내기는 전부를 스트리밍합니다."
    ),
    "Only the first of these entries are shown, and summed up. CSV and XLSX hold all of them:": (
        "처음 항목만 표시하고 합산합니다. CSV와 XLSX에는 모두 들어 있습니다:"
    ),
    "Your role does not allow this.": "이 작업을 할 수 있는 역할이 아닙니다.",
    "There is no such page.": "없는 페이지입니다.",
    "Something went wrong on our side.": "서버에 문제가 생겼습니다.",
    "The form is too old. Go back, reload the page and send it again.": (
        "양식이 만료되었습니다. 뒤로 가서 새로 고친 뒤 다시 보내세요."
    ),
    "Compare everything now": "지금 모두 대사",
    "waits": "대기 중",
    "goes on": "진행 중",
    "broke off": "중단됨",
    "months hashed anew": "다시 계산한 월",
    "jobs hold money": "보류 중인 작업",
    "usage not yet complete": "사용량 집계 미완료",
    "not reviewed": "검토 전",
    "not approved": "승인 전",
    "not pushed": "전송 전",
    "The month is not over yet.": "아직 끝나지 않은 달입니다.",
    "adjustments wait for an answer": "승인 대기 중인 조정",
}


def said(text: str, language: str) -> str:
    """The text in the language; English where it has no word.

    >>> said("Ledger", "ko"), said("Ledger", "en")
    ('원장', 'Ledger')
    """
    return KO.get(text, text) if language == "ko" else text


def language_of(accepted: str) -> str:
    """The first of our languages that a browser asks for.

    >>> [language_of(one) for one in ("ko-KR,ko;q=0.9,en;q=0.8", "de,en;q=0.7,ko;q=0.3", "")]
    ['ko', 'en', 'en']
    """
    wanted = [part.split(";")[0].strip().lower()[:2] for part in accepted.split(",")]
    return next((one for one in wanted if one in LANGUAGES), "en")
