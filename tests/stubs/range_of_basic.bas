Option VBASupport 1
Option ClassModule

Public Uncalculated As Boolean
Public Single_ As Boolean
Public Value2 As Variant
Public Value As Variant

Public Property Get HasFormula()
    HasFormula = Uncalculated
    If Uncalculated And Not Single_ Then HasFormula = Null
End Property

Public Function Cells(row, column)
    Dim one As New range_of_basic
    one.Single_ = True
    one.Uncalculated = Uncalculated And row = 2
    Set Cells = one
End Function
